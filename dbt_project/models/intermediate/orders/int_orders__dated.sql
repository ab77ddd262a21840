with
    orders as (select * from {{ ref("stg_orders__orders") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    as_of as (select * from {{ ref("int_orders__as_of") }}),

    words as (select * from {{ ref("order_status_words") }}),

    refunded_orders as (
        select distinct order_key
        from {{ ref("stg_refunds__refunds") }}
        where order_key is not null
    ),

    rates as (select * from {{ ref("int_fx_rates__periods") }}),

    totals as (select * from {{ ref("int_orders__totals") }}),

    dated as (
        select
            orders.order_key,
            orders.source,
            merges.merged_customer_key as customer_key,
            orders.ordered_date as order_date,
            orders.ordered_date > as_of.as_of as is_after_as_of,
            case
                when totals.is_return
                then 'return'
                else coalesce(lower(orders.kind), 'sale')
            end as kind,
            coalesce(totals.is_without_amount, false) as is_without_amount,
            case
                when lower(orders.status) = 'canceled'
                then 'cancelled'
                else coalesce(lower(orders.status), 'completed')
            end as status,
            orders.status is null or words.word is not null as is_status_known,
            -- an unknown word counts as a sale, and is named in dq__data_warnings
            coalesce(words.meaning, 'sale') as status_meaning,
            refunded_orders.order_key is not null as has_refund,

            -- an order in a currency without a rate keeps its own currency
            orders.currency_code as original_currency_code,
            case
                when orders.currency_code = as_of.reporting_currency_code
                then cast(1 as decimal(18, 8))
                else rates.exchange_rate
            end as exchange_rate,
            case
                when rates.exchange_rate is not null
                then as_of.reporting_currency_code
                else orders.currency_code
            end as currency_code
        from orders
        cross join as_of
        left join totals on orders.order_key = totals.order_key
        left join merges on orders.customer_key = merges.customer_key
        left join words on {{ status_word("orders.status") }} = words.word
        left join refunded_orders on orders.order_key = refunded_orders.order_key
        left join
            rates
            on orders.currency_code = rates.from_currency
            and as_of.reporting_currency_code = rates.to_currency
            and orders.currency_code <> as_of.reporting_currency_code
            and orders.ordered_date >= rates.valid_from_date
            and orders.ordered_date < rates.valid_to_date
    ),

    meant as (
        select
            *,
            -- an order that was paid back as a whole is a sale only where its refund
            -- was delivered, which takes it back
            status_meaning = 'sale'
            or (status_meaning = 'refunded' and has_refund) as is_sale
        from dated
    ),

    final as (
        select
            *,
            -- a return earns nothing here: it is a row of fct_refunds
            is_sale and kind not in ('test', 'return') as is_booked,
            -- an order without its lines does not show what was bought
            is_sale and kind = 'sale' and not is_without_amount as is_counted
        from meant
    )

select *
from final
