{#
  Orders and refunds that were used and may not mean what they were taken for: their status, their currency, lines that
  do not fit the total, and what comes back without its tax or its cost.
#}
{%- set cents = (
    "cast(cast(sum({0}) as decimal(38, 2)) as " ~ dbt.type_string() ~ ")"
) -%}
with
    orders as (select * from {{ ref("int_orders__dated") }} where not is_after_as_of),

    as_of as (select * from {{ ref("int_orders__as_of") }}),

    headers as (select * from {{ ref("stg_orders__orders") }}),

    lines as (select * from {{ ref("stg_order_lines__lines") }}),

    products as (select * from {{ ref("stg_products__versions") }}),

    returns as (select * from {{ ref("int_orders__returns") }}),

    refunds as (
        select
            refunds.*,
            headers.order_key is not null as is_of_known_order,
            coalesce(
                refunds.currency_code,
                headers.currency_code,
                as_of.reporting_currency_code,
                'without a currency'
            ) as known_currency_code
        from {{ ref("stg_refunds__refunds") }} as refunds
        inner join as_of on refunds.refunded_date <= as_of.as_of
        left join headers on refunds.order_key = headers.order_key
    ),

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
            -- orders without amounts are counted together, whatever their currency
            case
                when
                    totals.comparison = 'exchange at several tax rates'
                    or (
                        totals.lines_amount is not null
                        and totals.stated_amount is not null
                    )
                then orders.currency_code
            end as currency_code,
            {% for name in ["lines_amount", "stated_amount"] %}
                totals.{{ name }} * coalesce(orders.exchange_rate, 1) as {{ name }},
            {% endfor %}
            -- both sides of an exchange lack the same tax; no tax is more than half of
            -- a net price
            {{
                rounded(
                    "coalesce(orders.exchange_rate, 1) * greatest(0, least("
                    ~ div("totals.sale_amount - 3 * totals.included_tax_amount", "3")
                    ~ ", "
                    ~ div(
                        "totals.sale_amount - totals.lines_amount - 3 * totals.returned_tax_amount",
                        "3",
                    )
                    ~ "))",
                    4,
                )
            }}
            as untaken_tax_amount
        from {{ ref("int_orders__totals") }} as totals
        inner join orders on totals.order_key = orders.order_key
    ),

    order_totals as (
        select
            warning,
            source,
            case
                when warning = 'exchange at several tax rates'
                then
                    'sales and refunds are at most '
                    || {{ cents.format("untaken_tax_amount") }}
                    || ' '
                    || currency_code
                    || ' too high'
                else
                    coalesce(
                        {{ cents.format("lines_amount") }}
                        || ' '
                        || currency_code
                        || ' in lines, '
                        || {{ cents.format("stated_amount") }}
                        || ' '
                        || currency_code
                        || ' in totals without tax and shipping',
                        'no amount'
                    )
            end as detail,
            count(*) as row_count
        from compared
        where warning not in ('equal', 'no comparison')
        group by warning, source, currency_code
    ),

    -- where orders have a tax, its part of a refund without an order is not known
    without_tax as (
        select
            'refund without tax' as warning,
            source,
            {{ cents.format("refund_amount") }} || ' ' || known_currency_code as detail,
            count(*) as row_count
        from refunds
        where
            tax_amount is null
            and not is_of_known_order
            and source in (select source from headers where tax_amount > 0)
        group by source, known_currency_code
    ),

    goods_back as (
        select source, known_currency_code as currency_code, refund_amount as amount
        from refunds
        where is_restocked is null
        union all
        select
            returns.source,
            orders.currency_code,
            returns.net_refund * coalesce(orders.exchange_rate, 1) as amount
        from returns
        inner join orders on returns.document_key = orders.order_key
        where
            returns.stated_cost is null
            -- a return that was cancelled gave nothing back
            and orders.status_meaning in ('sale', 'refunded')
    ),

    without_cost as (
        select
            'return without its cost' as warning,
            source,
            {{ cents.format("amount") }} || ' ' || currency_code as detail,
            count(*) as row_count
        from goods_back
        where
            source in (select source from lines where cost_amount is not null)
            or source in (select source from products where unit_cost is not null)
        group by source, currency_code
    ),

    final as (
        {% for warning in [
            "unknown_words",
            "without_rate",
            "order_totals",
            "without_tax",
            "without_cost",
        ] %}
            select warning, source, detail, row_count
            from {{ warning }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select *
from final
