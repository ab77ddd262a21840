with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    as_of as (select * from {{ ref("dim_as_of") }}),

    results as (
        select
            results.*,
            row_number() over (
                partition by customer_key order by submitted_at desc, md5(response_key)
            ) as recency
        from {{ ref("fct_survey_results") }} as results
        inner join as_of on results.submitted_date <= as_of.as_of
        where
            not is_duplicate
            and respondent_type = 'customer'
            and overall_score is not null
    ),

    value_windows as (select * from {{ ref("fct_customer_value_windows") }}),

    customer_values as (
        select * from value_windows where window_number = 0 and order_count > 0
    ),

    signs as (select * from {{ ref("fct_customer_signs") }}),

    -- also of those who ordered nothing since
    prior_values as (select * from value_windows where window_number = 1),

    prior_window as (
        select max(case when is_observed then 1 else 0 end) = 1 as is_observed
        from {{ ref("dim_value_windows") }}
        where window_number = 1
    ),

    final as (
        select
            customers.customer_key,
            customers.source,
            {{
                stage_on(
                    day="as_of.as_of",
                    first_date="customers.first_order_date",
                    last_date="customers.last_order_date",
                    order_day_count="customers.order_day_count",
                    is_left_truncated="customers.is_left_truncated",
                    is_loyal="signs.signs_known_count >= "
                    ~ var("loyal_signs_known")
                    ~ " and signs.signs_count >= "
                    ~ var("loyal_signs_share")
                    ~ " * signs.signs_known_count",
                )
            }} as stage,
            customer_values.tier,
            customer_values.level,
            customer_values.cm3_amount > 0 as is_value_customer,
            prior_values.tier as tier_prior,
            prior_values.level as level_prior,
            coalesce(prior_window.is_observed, false) as is_tier_prior_observed,
            results.response_key,
            results.submitted_date as scored_date,
            results.overall_score,
            results.loyalty_class,
            results.satisfaction_class,
            results.satisfaction_index,
            results.nps_class
        from customers
        cross join as_of
        cross join prior_window
        left join prior_values on customers.customer_key = prior_values.customer_key
        left join
            customer_values on customers.customer_key = customer_values.customer_key
        left join signs on customers.customer_key = signs.customer_key
        left join
            results
            on customers.customer_key = results.customer_key
            and results.recency = 1
    )

select *
from final
