{# Sums of both arms by tenth of the order days before: those who bought as often are compared. #}
with
    customers as (select * from {{ ref("int_programme__comparison_customers") }}),

    placed as (
        select
            *,
            cast(
                ceil(
                    10 * cume_dist() over (
                        partition by comparison_key order by order_days_before
                    )
                ) as integer
            ) as stratum
        from customers
    ),

    measured as (
        select
            comparison_key,
            is_treated,
            stratum,
            trend_days,
            'order_days' as measure,
            cast(order_days_before as decimal(18, 2)) as before_value,
            cast(order_days_after as decimal(18, 2)) as after_value
        from placed
        union all
        select
            comparison_key,
            is_treated,
            stratum,
            trend_days,
            'cm3',
            cast(cm3_before_amount as decimal(18, 2)),
            cast(cm3_after_amount as decimal(18, 2))
        from placed
        where cm3_after_amount is not null
        union all
        select
            comparison_key,
            is_treated,
            stratum,
            trend_days,
            'buyers',
            cast(case when order_days_before > 0 then 1 else 0 end as decimal(18, 2)),
            cast(case when is_buyer_after then 1 else 0 end as decimal(18, 2))
        from placed
    ),

    changed as (
        select
            *,
            cast(after_value - before_value as decimal(18, 2)) as change_value,
            cast(trend_days as decimal(18, 2)) as trend_value
        from measured
    ),

    final as (
        select
            comparison_key,
            measure,
            stratum,
            is_treated,
            count(*) as customer_count,
            sum(before_value) as before_sum,
            {% for name in ["after", "change", "trend"] %}
                sum({{ name }}_value) as {{ name }}_sum,
                sum({{ name }}_value * {{ name }}_value) as {{ name }}_square_sum
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from changed
        group by comparison_key, measure, stratum, is_treated
    )

select *
from final
