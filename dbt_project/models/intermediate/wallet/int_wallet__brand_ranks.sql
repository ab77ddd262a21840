{# The brands a respondent uses in a category, from the best: by stated rank, else by rating; ties share the mean of their places. #}
with
    ratings as (
        select
            *,
            -- who rates, ranks or spends uses, unless it is said otherwise
            coalesce(
                is_used,
                rating is not null or rank is not null or coalesce(stated_amount, 0) > 0
            ) as is_brand_used
        from {{ ref("stg_survey_brand_ratings__ratings") }}
    ),

    used as (
        select
            record_key,
            response_key,
            coalesce(category, 'all') as category,
            rating,
            rank,
            count(*) over of_category as brands_used_count,
            count(rank) over of_category as ranked_count,
            count(rating) over of_category as rated_count
        from ratings
        where is_brand_used
        window of_category as (partition by response_key, coalesce(category, 'all'))
    ),

    placed as (
        select
            record_key,
            response_key,
            category,
            brands_used_count,
            -- all of them or none: half a ranking ranks nothing
            case
                when ranked_count = brands_used_count
                then rank
                when rated_count = brands_used_count
                then - rating
                when brands_used_count = 1
                then 1
            end as standing
        from used
    ),

    final as (
        select
            record_key as rating_key,
            brands_used_count,
            case
                when standing is not null
                then
                    cast(
                        rank() over (
                            partition by response_key, category order by standing
                        ) as decimal(18, 4)
                    )
                    + cast(0.5 as decimal(18, 4))
                    * (
                        count(*) over (partition by response_key, category, standing)
                        - 1
                    )
            end as average_rank
        from placed
    )

select *
from final
