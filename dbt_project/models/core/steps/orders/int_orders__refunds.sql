{# Refunds, and goods taken back by a document of their own: whose they are, and in which currency. #}
with
    recorded as (select * from {{ ref("int_refunds__current") }}),

    order_headers as (
        select order_key, tax_amount as order_tax, total_amount as order_total
        from {{ ref("int_orders__current") }}
        where tax_amount > 0 and total_amount > 0
    ),

    documents as (select * from {{ ref("int_orders__current") }}),

    orders as (select * from {{ ref("int_orders__with_base") }}),

    lines as (select * from {{ ref("int_order_lines__current") }}),

    returned_lines as (
        select * from {{ ref("int_order_lines__adjusted") }} where is_return
    ),

    totals as (select * from {{ ref("int_orders__totals") }}),

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

    -- a refund of an order is in the order's currency and base; another one in those
    -- of its customer
    of_refunds as (
        select
            refunds.refund_key,
            refunds.refund_id,
            refunds.source,
            refunds.order_key,
            refunds.order_id,
            refunds.line_number,
            coalesce(orders.customer_key, refunds.customer_key) as customer_key,
            case
                when orders.order_key is not null
                then orders.base
                when refunds.is_of_guest
                then 'guest'
                when
                    customers.base = 'customer'
                    and case
                        when rates.exchange_rate is null
                        then refunds.currency_code
                        else as_of.reporting_currency_code
                    end
                    <> customers.currency_code
                then 'other_currency'
                else coalesce(customers.base, 'unknown')
            end as base,
            coalesce(
                orders.currency_code,
                case when rates.exchange_rate is null then refunds.currency_code end,
                as_of.reporting_currency_code
            ) as currency_code,
            case
                when orders.order_key is not null
                then orders.exchange_rate
                else rates.exchange_rate
            end as exchange_rate,
            coalesce(orders.is_booked, true) as is_booked,
            orders.order_date,
            refunds.refunded_at,
            refunds.refunded_date,
            refunds.reason,
            refunds.is_restocked,
            refunds.quantity,
            refunds.recorded_refund_amount,
            refunds.net_refund,
            cast(null as {{ type_amount() }}) as stated_cost
        from refunds
        cross join as_of
        left join orders on refunds.order_key = orders.order_key
        left join customers on refunds.customer_key = customers.customer_key
        left join
            rates
            on orders.order_key is null
            and refunds.currency_code = rates.from_currency
            and as_of.reporting_currency_code = rates.to_currency
            and refunds.currency_code <> as_of.reporting_currency_code
            and refunds.refunded_date >= rates.valid_from_date
            and refunds.refunded_date < rates.valid_to_date
    ),

    -- every line that takes goods back, and every return without lines
    taken_back as (
        select
            lines.order_key,
            lines.record_key,
            lines.order_id
            || '/'
            || cast(lines.line_number as {{ dbt.type_string() }}) as refund_id,
            abs(lines.quantity) as quantity,
            abs(lines.net_amount) as recorded_refund_amount,
            returned_lines.settled_amount as net_refund,
            -- a negative cost is cost that came back
            case when lines.cost_amount < 0 then - lines.cost_amount end as stated_cost
        from lines
        inner join returned_lines on lines.record_key = returned_lines.record_key
        union all
        select
            documents.order_key,
            documents.record_key,
            documents.order_id,
            null,
            abs(documents.total_amount),
            totals.stated_amount,
            null
        from documents
        inner join totals on documents.order_key = totals.order_key
        where
            totals.is_return
            and totals.line_count = 0
            and documents.total_amount is not null
    ),

    -- the sale that the goods come from is not known: they reduce what the customer
    -- spent, on the day of the document
    of_documents as (
        select
            {{ made_key(["'return'", "taken_back.record_key"]) }} as refund_key,
            taken_back.refund_id,
            orders.source,
            cast(null as {{ dbt.type_string() }}) as order_key,
            cast(null as {{ dbt.type_string() }}) as order_id,
            cast(null as bigint) as line_number,
            orders.customer_key,
            orders.base,
            orders.currency_code,
            orders.exchange_rate,
            -- a return that was cancelled gave nothing back
            orders.status_meaning in ('sale', 'refunded') as is_booked,
            cast(null as date) as order_date,
            documents.ordered_at as refunded_at,
            documents.ordered_date as refunded_date,
            cast(null as {{ dbt.type_string() }}) as reason,
            cast(null as boolean) as is_restocked,
            taken_back.quantity,
            taken_back.recorded_refund_amount,
            taken_back.net_refund,
            taken_back.stated_cost
        from taken_back
        inner join orders on taken_back.order_key = orders.order_key
        inner join documents on taken_back.order_key = documents.order_key
    ),

    together as (
        select *
        from of_refunds
        union all
        select *
        from of_documents
    ),

    joined as (
        select
            together.refund_key,
            together.refund_id,
            together.source,
            together.order_key,
            together.order_id,
            together.line_number,
            together.customer_key,
            case
                when together.refunded_date > as_of.as_of
                then 'after_as_of'
                else together.base
            end as base,
            together.currency_code,
            coalesce(
                together.exchange_rate, cast(1 as decimal(18, 8))
            ) as exchange_rate,
            together.is_booked,
            together.order_date,
            together.refunded_at,
            together.refunded_date,
            together.reason,
            coalesce(together.is_restocked, false) as is_restocked,
            together.quantity,
            together.recorded_refund_amount,
            together.net_refund,
            together.stated_cost
        from together
        cross join as_of
    ),

    final as (
        select
            *,
            {{ base_key("base", "customer_key", "currency_code") }} as base_key,
            {{ booked_amount("net_refund") }} as refund_amount
        from joined
    )

select *
from final
