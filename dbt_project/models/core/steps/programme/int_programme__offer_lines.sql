{# Order lines with what is offered in them: add-ons, and how long the product has been sold. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    lines as (
        select * from {{ ref("fct_order_lines") }} where is_counted and quantity >= 0
    ),

    products as (select * from {{ ref("dim_products") }}),

    first_sales as (
        select product_key, min(order_date) as first_sale_date
        from lines
        group by product_key
    ),

    final as (
        select
            lines.*,
            coalesce(products.product_type, 'good')
            in ('add_on', 'service') as is_add_on,
            -- a first sale is only known to be one after a whole such period of data
            case
                when products.launched_date is not null
                then {{ days_between("products.launched_date", "lines.order_date") }}
                when
                    lines.order_date
                    >= {{ add_days("as_of.data_start_date", var("offer_new_days")) }}
                then
                    {{
                        days_between(
                            "first_sales.first_sale_date", "lines.order_date"
                        )
                    }}
            end as product_days
        from lines
        cross join as_of
        left join products on lines.product_version_key = products.product_version_key
        left join first_sales on lines.product_key = first_sales.product_key
        where lines.order_date <= as_of.as_of
    )

select *
from final
