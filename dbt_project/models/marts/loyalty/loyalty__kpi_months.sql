with
    figures as (select * from {{ ref("int_loyalty__kpi_months") }}),

    breaks as (select * from {{ ref("int_loyalty__kpi_breaks") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            figures.kpi_month_key,
            figures.source,
            figures.month,
            figures.is_partial_month,
            figures.kpi,
            case
                when figures.kpi in ('net_revenue', 'order_value')
                then as_of.reporting_currency_code
            end as currency_code,
            figures.base as kpi_base,
            -- a rate of half a month is no rate
            case
                when not figures.is_partial_month or figures.base is null
                then cast(figures.kpi_value as {{ type_double() }})
            end as kpi_value,
            case
                when not figures.is_partial_month
                then
                    coalesce(
                        figures.month = breaks.change_month
                        and breaks.p_value < {{ var("trend_break_p") }}
                        and breaks.month_count >= {{ var("trend_break_months") }},
                        false
                    )
            end as is_change_point,
            case
                when breaks.month_count >= {{ var("trend_break_months") }}
                then breaks.change_month
            end as change_month,
            case
                when breaks.month_count >= {{ var("trend_break_months") }}
                then breaks.p_value
            end as change_p_value,
            case
                when breaks.month_count >= {{ var("trend_break_months") }}
                then breaks.mean_before
            end as mean_before,
            case
                when breaks.month_count >= {{ var("trend_break_months") }}
                then breaks.mean_after
            end as mean_after,
            cast(coalesce(breaks.month_count, 0) as bigint) as month_count,
            case
                when coalesce(breaks.month_count, 0) < {{ var("trend_break_months") }}
                then 'fewer than {{ var("trend_break_months") }} whole months'
            end as change_reason
        from figures
        cross join as_of
        left join breaks using (source, kpi)
    )

select *
from final
