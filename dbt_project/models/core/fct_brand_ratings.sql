with
    ratings as (select * from {{ ref("stg_survey_brand_ratings__ratings") }}),

    ranks as (select * from {{ ref("int_wallet__brand_ranks") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

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
            ranks.rating_key is not null as is_used,
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
