{# What an order day will be worth, and how much of it stays: the two factors of lifetime value beside the orders. #}
with
    histories as (
        select *
        from {{ ref("fct_order_histories") }}
        where fit_window = 'all' and not is_left_truncated
    ),

    margins as (select * from {{ ref("int_retention__customer_margins") }}),

    fitted as (
        select
            scope as currency_code,
            max(case when parameter = 'p' then value end) as p,
            max(case when parameter = 'q' then value end) as q,
            max(case when parameter = 'v' then value end) as v
        from {{ source("estimates", "parameters") }}
        where model = 'gamma_gamma'
        group by scope
    ),

    fits as (
        select * from {{ source("estimates", "fits") }} where model = 'gamma_gamma'
    ),

    forecast as (
        select
            histories.customer_key,
            histories.currency_code,
            histories.valued_day_count,
            histories.valued_amount,
            -- E(M|x,m) = (p*v + p*x*m) / (p*x + q - 1); without a finite mean, nothing
            {{
                rounded(
                    "case when fitted.p * histories.valued_day_count + fitted.q > 1 then"
                    ~ " fitted.p * (fitted.v + cast(histories.valued_amount as "
                    ~ type_double()
                    ~ ")) / (fitted.p * histories.valued_day_count + fitted.q - 1) end",
                    4,
                )
            }}
            as expected_order_amount,
            {{ rounded("margins.own_margin_rate", 8) }} as own_margin_rate,
            {{ rounded("margins.segment_margin_rate", 8) }} as segment_margin_rate,
            -- a customer's own rate counts for as much as it has order days
            {{
                rounded(
                    "coalesce("
                    ~ div(
                        "margins.order_day_count * margins.own_margin_rate + "
                        ~ var("margin_prior_days")
                        ~ " * margins.segment_margin_rate",
                        "margins.order_day_count + " ~ var("margin_prior_days"),
                    )
                    ~ ", margins.segment_margin_rate)",
                    8,
                )
            }} as margin_rate
        from histories
        left join fitted on histories.currency_code = fitted.currency_code
        left join margins on histories.customer_key = margins.customer_key
    ),

    final as (
        select
            forecast.*,
            case
                when forecast.expected_order_amount is null
                then
                    'order value cannot be predicted: '
                    || coalesce(fits.reason, 'not fitted')
                when forecast.margin_rate is null
                then 'too few unit costs are known for a margin'
            end as value_missing_reason
        from forecast
        left join fits on forecast.currency_code = fits.scope
    )

select *
from final
