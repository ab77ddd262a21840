{# Orders that were used and may not mean what they were taken for: their status, their currency, and lines that do not fit the total. #}
with
    orders as (select * from {{ ref("int_orders__dated") }} where not is_after_as_of),

    unknown_words as (
        select
            'unknown status' as warning,
            'orders' as feed,
            source,
            status as detail,
            count(*) as row_count,
            'counted as sales; map the word to a known one under `columns: status` in the YAML'
            as remedy
        from orders
        where not is_status_known
        group by source, status
    ),

    without_rate as (
        select
            'no rate of exchange' as warning,
            'orders' as feed,
            source,
            original_currency_code as detail,
            count(*) as row_count,
            'their amounts are rows of this currency and are in no sum of another; deliver fx_rates to the reporting currency to add them up'
            as remedy
        from orders
        where exchange_rate is null
        group by source, original_currency_code
    ),

    remedies as (
        select
            'lines above total' as warning,
            'taken off the lines as a discount of the order; if the total lacks something else, map it or leave total_amount out'
            as remedy
        union all
        select 'lines include tax', 'the tax was taken off the lines; nothing to do'
        union all
        select
            'exchange at several tax rates',
            'the tax was taken off one side; what is left of the exchange is right, its sales and refunds are too high; deliver lines without tax'
        union all
        select
            'lines below total',
            'the lines were used; map tax_amount and shipping_amount, or look for lines in the quarantine'
        union all
        select
            'total is 0',
            'the lines were used; leave total_amount out, or map discount_amount if all was given away'
        union all
        select
            'no lines and no total',
            'the order was not counted; look for its lines in the quarantine or in the next export'
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
            compared.warning,
            'orders' as feed,
            compared.source,
            coalesce(
                cast(
                    cast(
                        sum(compared.lines_amount) as decimal(38, 2)
                    ) as {{ dbt.type_string() }}
                )
                || ' in lines, '
                || cast(
                    cast(
                        sum(compared.stated_amount) as decimal(38, 2)
                    ) as {{ dbt.type_string() }}
                )
                || ' in totals without tax and shipping',
                'no amount'
            ) as detail,
            count(*) as row_count,
            remedies.remedy
        from compared
        inner join remedies on compared.warning = remedies.warning
        group by compared.warning, compared.source, remedies.remedy
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
