{# From when to when a customer's last score stood. #}
with
    results as (
        select *
        from {{ ref("fct_survey_results") }}
        where
            not is_duplicate
            and respondent_type = 'customer'
            and overall_score is not null
            and customer_key is not null
    ),

    daily as (
        select
            customer_key,
            submitted_date,
            overall_score,
            overall_scale_max,
            row_number() over (
                partition by customer_key, submitted_date
                order by submitted_at desc, md5(response_key)
            ) as recency
        from results
    ),

    final as (
        select
            customer_key,
            overall_score,
            overall_scale_max,
            submitted_date as from_date,
            coalesce(
                lead(submitted_date) over (
                    partition by customer_key order by submitted_date
                ),
                cast('9999-12-31' as date)
            ) as until_date
        from daily
        where recency = 1
    )

select *
from final
