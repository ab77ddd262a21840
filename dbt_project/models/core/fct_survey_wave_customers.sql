{#
  Who could have been asked: consumers with a counted order in the days before a wave was sent, in
  the cells that survey weights are raked by (age band, tenure, tercile of spend).
#}
with
    waves as (select * from {{ ref("dim_survey_waves") }}),

    orders as (
        select * from {{ ref("fct_orders") }} where is_counted and base = 'customer'
    ),

    customers as (select * from {{ ref("dim_customers") }}),

    spends as (
        select
            waves.source,
            waves.survey_id,
            waves.wave,
            waves.sent_date,
            orders.customer_key,
            orders.currency_code,
            count(distinct orders.order_date) as order_day_count,
            sum(orders.net_amount) as spend_amount
        from waves
        inner join
            orders
            on waves.source = orders.source
            and orders.order_date <= waves.sent_date
            and orders.order_date
            > {{ add_days("waves.sent_date", -var("survey_base_days")) }}
        group by
            waves.source,
            waves.survey_id,
            waves.wave,
            waves.sent_date,
            orders.customer_key,
            orders.currency_code
    ),

    ranked as (
        select
            *,
            -- amounts that no rate converts are ranked among those of their currency
            cume_dist() over (
                partition by source, survey_id, wave, currency_code
                order by spend_amount
            ) as spend_share
        from spends
    ),

    final as (
        select
            ranked.source,
            ranked.survey_id,
            ranked.wave,
            ranked.customer_key,
            ranked.order_day_count,
            ranked.spend_amount,
            coalesce(customers.age_band, 'unknown') as age_band,
            {{
                tenure_band(
                    days_between("customers.first_order_date", "ranked.sent_date")
                )
            }} as tenure_band,
            -- in ninths of a billion, so that a share that is just a third stays in
            -- its tercile
            case
                when round(cast(ranked.spend_share as decimal(18, 9)), 9) <= 0.333333333
                then '1 low'
                when round(cast(ranked.spend_share as decimal(18, 9)), 9) <= 0.666666667
                then '2 middle'
                else '3 high'
            end as spend_tercile
        from ranked
        inner join customers on ranked.customer_key = customers.customer_key
    )

select *
from final
