{# What documents take back: every line with returned goods, and every return that has no lines. #}
with
    documents as (select * from {{ ref("stg_orders__orders") }}),

    totals as (select * from {{ ref("int_orders__totals") }}),

    lines as (select * from {{ ref("stg_order_lines__lines") }}),

    returned_lines as (
        select * from {{ ref("int_order_lines__adjusted") }} where is_return
    ),

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

    final as (
        select
            {{ made_key(["'return'", "taken_back.record_key"]) }} as refund_key,
            taken_back.refund_id,
            documents.source,
            taken_back.order_key as document_key,
            documents.ordered_at as refunded_at,
            documents.ordered_date as refunded_date,
            taken_back.quantity,
            taken_back.recorded_refund_amount,
            taken_back.net_refund,
            taken_back.stated_cost
        from taken_back
        inner join documents on taken_back.order_key = documents.order_key
    )

select *
from final
