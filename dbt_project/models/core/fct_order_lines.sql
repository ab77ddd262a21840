with
    lines as (select * from {{ ref("stg_order_lines__lines") }}),

    adjusted as (select * from {{ ref("int_order_lines__adjusted") }}),

    orders as (select * from {{ ref("int_orders__with_base") }}),

    products as (select * from {{ ref("dim_products") }}),

    priced as (
        select
            lines.*,
            coalesce(adjusted.settled_amount, lines.net_amount) as settled_amount,
            coalesce(adjusted.line_tax_amount, 0) as line_tax_amount,
            orders.order_date,
            orders.customer_key,
            -- a line whose order is unknown earns nothing until the order comes
            coalesce(orders.base, 'unknown') as base,
            coalesce(orders.base_key, 'unknown') as base_key,
            coalesce(orders.is_booked, false) as is_booked,
            coalesce(orders.is_counted, false) as is_counted,
            orders.currency_code,
            coalesce(orders.exchange_rate, cast(1 as decimal(18, 8))) as exchange_rate,
            products.product_version_key,
            products.category,
            coalesce(
                lines.discount_amount,
                cast(lines.list_price as {{ type_amount() }}) * lines.quantity
                - lines.net_amount,
                0
            ) as own_discount,
            coalesce(
                lines.cost_amount,
                cast(
                    coalesce(lines.fulfilled_quantity, lines.quantity) * cast(
                        products.unit_cost as {{ type_amount() }}
                    ) as {{ type_amount() }}
                )
            ) as known_cost
        from lines
        left join adjusted on lines.record_key = adjusted.record_key
        left join orders on lines.order_key = orders.order_key
        left join
            products
            on lines.product_key = products.product_key
            and orders.order_date >= products.valid_from_date
            and orders.order_date < products.valid_to_date
        -- goods taken back are refunds
        where not coalesce(adjusted.is_return, false)
    ),

    -- the line's own discount without tax, and what the line lost to its order's total
    discounted as (
        select
            *,
            cast(
                case
                    when line_tax_amount = 0
                    then own_discount
                    else
                        {{
                            rounded(
                                "own_discount * (1 - "
                                ~ div("line_tax_amount", "net_amount")
                                ~ ")",
                                4,
                            )
                        }}
                end
                + net_amount
                - line_tax_amount
                - settled_amount as {{ type_amount() }}
            ) as known_discount
        from priced
    ),

    final as (
        select
            record_key as order_line_key,
            order_key,
            order_id,
            line_number,
            source,
            customer_key,
            base,
            base_key,
            product_key,
            product_id,
            product_version_key,
            category,
            seller_id,
            order_date,
            is_booked,
            is_counted,
            quantity,
            fulfilled_quantity,
            currency_code,
            net_amount as recorded_net_amount,
            -- added up after the conversion: rounded apart, the parts would miss
            -- their sum
            cast(
                {{ booked_amount("settled_amount") }}
                + {{ booked_amount("known_discount") }} as {{ type_amount() }}
            ) as gross_amount,
            {{ booked_amount("known_discount") }} as discount_amount,
            {{ booked_amount("settled_amount") }} as net_amount,
            {{ booked_amount("known_cost") }} as cost_amount,
            -- what the line earned, where its cost is known
            case
                when known_cost is not null
                then {{ booked_amount("settled_amount") }}
                else cast(0 as {{ type_amount() }})
            end as costed_amount
            {{ x_columns(ref("stg_order_lines__lines")) }}
        from discounted
    )

select *
from final
