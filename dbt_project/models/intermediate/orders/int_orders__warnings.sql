{# Orders that were used and may not mean what they were taken for: their status, their currency, and lines that do not fit the total. #}
with
    orders as (select * from {{ ref("int_orders__dated") }} where not is_after_as_of),

    unknown_words as (
        select
            'unknown status' as warning, source, status as detail, count(*) as row_count
        from orders
        where not is_status_known
        group by source, status
    ),

    without_rate as (
        select
            'no rate of exchange' as warning,
            source,
            original_currency_code as detail,
            count(*) as row_count
        from orders
        where exchange_rate is null
        group by source, original_currency_code
    ),

    compared as (
        select
            case
                when totals.is_without_amount
                then 'no lines and no total'
                else totals.comparison
            end as warning,
            totals.source,
            totals.lines_amount,
            totals.stated_amount
        from {{ ref("int_orders__totals") }} as totals
        inner join orders on totals.order_key = orders.order_key
    ),

    order_totals as (
        select
            warning,
            source,
            coalesce(
                cast(
                    cast(sum(lines_amount) as decimal(38, 2)) as {{ dbt.type_string() }}
                )
                || ' in lines, '
                || cast(
                    cast(
                        sum(stated_amount) as decimal(38, 2)
                    ) as {{ dbt.type_string() }}
                )
                || ' in totals without tax and shipping',
                'no amount'
            ) as detail,
            count(*) as row_count
        from compared
        where warning not in ('equal', 'no comparison')
        group by warning, source
    ),

    final as (
        select *
        from unknown_words
        union all
        select *
        from without_rate
        union all
        select *
        from order_totals
    )

select *
from final
