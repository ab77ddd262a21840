{# The current value window, with the tier in the window before beside it. #}
with
    current_values as (
        select *
        from {{ ref("fct_customer_value_windows") }}
        where window_number = 0 and order_count > 0
    ),

    prior_values as (
        select * from {{ ref("fct_customer_value_windows") }} where window_number = 1
    ),

    final as (
        select
            current_values.customer_key,
            current_values.customer_id,
            current_values.order_count,
            current_values.net_amount,
            current_values.cm3_amount,
            current_values.currency_code,
            current_values.measure_amount,
            current_values.value_rank,
            current_values.ranked_count,
            current_values.tier,
            current_values.level,
            current_values.cm3_amount > 0 as is_value_customer,
            prior_values.tier as tier_prior,
            prior_values.level as level_prior
        from current_values
        left join
            prior_values on current_values.customer_key = prior_values.customer_key
    )

select *
from final
