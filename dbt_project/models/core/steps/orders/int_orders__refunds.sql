{# Refunds, and goods taken back by a document of their own: whose they are, and in which currency. #}
with
    recorded as (select * from {{ ref("stg_refunds__refunds") }}),

    order_headers as (
        select order_key, tax_amount as order_tax, total_amount as order_total
        from {{ ref("stg_orders__orders") }}
        where tax_amount > 0 and total_amount > 0
    ),

    orders as (select * from {{ ref("int_orders__with_base") }}),

    returns as (select * from {{ ref("int_orders__returns") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    records as (select * from {{ ref("int_customers__records") }}),

    currencies as (
        select customer_key, max(customer_currency_code) as currency_code
        from orders
        where customer_key is not null
        group by customer_key
    ),

    customers as (
        select distinct
            merges.merged_customer_key as customer_key,
            coalesce(records.base, 'customer') as base,
            currencies.currency_code
        from merges
        left join records on merges.merged_customer_key = records.merged_customer_key
        left join currencies on merges.merged_customer_key = currencies.customer_key
    ),

    rates as (select * from {{ ref("int_fx_rates__periods") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    -- a refund without a tax of its own pays back its share of the order's tax
    refunds as (
        select
            recorded.refund_key,
            recorded.refund_id,
            recorded.source,
            recorded.order_key,
            recorded.order_id,
            recorded.line_number,
            merges.merged_customer_key as customer_key,
            coalesce(recorded.order_key, recorded.customer_key) is null as is_of_guest,
            recorded.refunded_at,
            recorded.refunded_date,
            recorded.reason,
            recorded.is_restocked,
            recorded.quantity,
            recorded.currency_code,
            recorded.refund_amount as recorded_refund_amount,
            recorded.refund_amount - coalesce(
                recorded.tax_amount,
                {{
                    rounded(
                        div(
                            "cast(recorded.refund_amount as "
                            ~ type_amount()
                            ~ ") * order_headers.order_tax",
                            "order_headers.order_total",
                        ),
                        4,
                    )
                }},
                0
            ) as net_refund
        from recorded
        left join order_headers on recorded.order_key = order_headers.order_key
        left join merges on recorded.customer_key = merges.customer_key
    ),

    -- the sale that returned goods come from is not known: they reduce what the
    -- customer spent, on the day of the document
    given_back as (
        select
            refunds.*,
            refunds.order_key as document_key,
            false as is_return,
            cast(null as {{ type_amount() }}) as stated_cost
        from refunds
        union all
        select
            refund_key,
            refund_id,
            source,
            null,
            null,
            null,
            null,
            false,
            refunded_at,
            refunded_date,
            null,
            null,
            quantity,
            null,
            recorded_refund_amount,
            net_refund,
            document_key,
            true,
            stated_cost
        from returns
    ),

    priced as (
        select
            given_back.*,
            orders.base as order_base,
            orders.customer_key as order_customer_key,
            orders.currency_code as order_currency_code,
            case when not given_back.is_return then orders.order_date end as order_date,
            case
                -- a return that was cancelled gave nothing back
                when given_back.is_return
                then orders.status_meaning in ('sale', 'refunded')
                else coalesce(orders.is_booked, true)
            end as is_booked,
            customers.base as customer_base,
            customers.currency_code as customer_currency_code,
            -- without an order: converted where there is a rate, else as it is
            case
                when rates.exchange_rate is null
                then coalesce(given_back.currency_code, as_of.reporting_currency_code)
                else as_of.reporting_currency_code
            end as own_currency_code,
            coalesce(
                orders.exchange_rate, rates.exchange_rate, cast(1 as decimal(18, 8))
            ) as exchange_rate,
            given_back.refunded_date > as_of.as_of as is_after_as_of
        from given_back
        cross join as_of
        left join orders on given_back.document_key = orders.order_key
        left join customers on given_back.customer_key = customers.customer_key
        left join
            rates
            on orders.order_key is null
            and given_back.currency_code = rates.from_currency
            and as_of.reporting_currency_code = rates.to_currency
            and given_back.currency_code <> as_of.reporting_currency_code
            and given_back.refunded_date >= rates.valid_from_date
            and given_back.refunded_date < rates.valid_to_date
    ),

    placed as (
        select
            refund_key,
            refund_id,
            source,
            order_key,
            order_id,
            line_number,
            coalesce(order_customer_key, customer_key) as customer_key,
            case
                when is_after_as_of
                then 'after_as_of'
                when order_base is not null
                then order_base
                when is_of_guest
                then 'guest'
                when
                    customer_base = 'customer'
                    and own_currency_code <> customer_currency_code
                then 'other_currency'
                else coalesce(customer_base, 'unknown')
            end as base,
            coalesce(order_currency_code, own_currency_code) as currency_code,
            exchange_rate,
            is_booked,
            order_date,
            refunded_at,
            refunded_date,
            reason,
            coalesce(is_restocked, false) as is_restocked,
            quantity,
            recorded_refund_amount,
            net_refund,
            stated_cost
        from priced
    ),

    final as (
        select
            *,
            {{ base_key("base", "customer_key", "currency_code") }} as base_key,
            {{ booked_amount("net_refund") }} as refund_amount
        from placed
    )

select *
from final
