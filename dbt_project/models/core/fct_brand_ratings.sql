with
    responses as (select * from {{ ref("fct_survey_responses") }}),

    ratings as (
        select
            *,
            -- a customer who rates, ranks or spends uses the brand, unless stated
            -- otherwise
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

    -- from the best: by stated rank, else by rating
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

    -- ties share the mean of their places
    ranks as (
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
    ),

    final as (
        select
            ratings.record_key as rating_key,
            ratings.response_key,
            responses.source,
            responses.survey_id,
            responses.wave,
            responses.customer_key,
            responses.submitted_date,
            responses.is_duplicate,
            coalesce(ratings.category, 'all') as category,
            ratings.brand,
            coalesce(ratings.is_us, false) as is_us,
            ratings.is_brand_used as is_used,
            ratings.is_considered,
            ratings.rating,
            ratings.stated_amount,
            ratings.stated_share,
            ratings.period_days,
            ranks.brands_used_count,
            cast(ranks.average_rank as decimal(18, 4)) as average_rank,
            -- Wallet Allocation Rule (Keiningham et al. 2011): (1 - rank/(N+1)) * 2/N
            {{
                rounded(
                    "(1 - "
                    ~ div("ranks.average_rank", "ranks.brands_used_count + 1")
                    ~ ") * "
                    ~ div("2", "ranks.brands_used_count"),
                    8,
                )
            }} as wallet_share
        from ratings
        -- a rating of a preview has no response
        inner join responses on ratings.response_key = responses.response_key
        left join ranks on ratings.record_key = ranks.rating_key
    )

select *
from final
