{# The price expected and the price paid, where both are known in one currency. #}
with
    answers as (
        select * from {{ ref("fct_survey_answers") }} where role = 'expected_price'
    ),

    responses as (
        select
            response_key, source, customer_key, order_key, product_key, submitted_date
        from {{ ref("fct_survey_responses") }}
        where not is_duplicate and (order_key is not null or product_key is not null)
    ),

    lines as (
        select * from {{ ref("fct_order_lines") }} where is_booked and quantity > 0
    ),

    orders as (select * from {{ ref("fct_orders") }} where is_booked),

    of_products as (
        select
            responses.response_key,
            lines.currency_code,
            {{ rounded(div("lines.net_amount", "lines.quantity"), 4) }} as paid_amount,
            row_number() over (
                partition by responses.response_key
                order by lines.order_date desc, md5(lines.order_line_key)
            ) as place
        from responses
        inner join
            lines
            on responses.product_key = lines.product_key
            and (
                responses.order_key = lines.order_key
                or (
                    responses.order_key is null
                    and responses.customer_key = lines.customer_key
                    and lines.order_date <= responses.submitted_date
                )
            )
    ),

    of_orders as (
        select
            responses.response_key,
            orders.currency_code,
            orders.goods_amount as paid_amount
        from responses
        inner join orders on responses.order_key = orders.order_key
        where responses.product_key is null
    ),

    -- what was paid: for the product in the order, else for the order, else for the
    -- newest purchase of the product
    paid as (
        select response_key, currency_code, paid_amount
        from of_products
        where place = 1
        union all
        select response_key, currency_code, paid_amount
        from of_orders
    ),

    final as (
        select
            answers.response_key,
            max(paid.currency_code) as currency_code,
            max(answers.score) as expected_amount,
            max(paid.paid_amount) as paid_amount,
            max(
                {{ rounded(div("paid.paid_amount", "answers.score"), 8) }}
            ) as price_ratio
        from answers
        inner join
            paid
            on answers.response_key = paid.response_key
            and coalesce(answers.currency_code, paid.currency_code) = paid.currency_code
        where answers.score > 0
        group by answers.response_key
        -- two expected prices in one questionnaire: it is not known which one is meant
        having count(*) = 1
    )

select *
from final
