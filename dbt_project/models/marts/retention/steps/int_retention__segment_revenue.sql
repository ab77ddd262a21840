{# Months without revenue are months of 0 and count in the variation; the running month does not. #}
{%- set n = var("variation_months") -%}
with
    sales as (select * from {{ ref("int_retention__segment_sales") }}),

    spread as (
        select
            *,
            count(*) over newest as month_count,
            sum(order_amount) over newest as amount_sum,
            sum(
                cast(order_amount as decimal(18, 2))
                * cast(order_amount as decimal(18, 2))
            ) over newest as square_sum
        from sales
        window
            newest as (
                partition by segment_by, segment
                order by month rows between {{ n - 1 }} preceding and current row
            )
    ),

    final as (
        select
            {{ made_key(["segment_by", "segment", "month"]) }} as segment_month_key,
            segment_by,
            segment,
            month,
            currency_code,
            order_amount,
            repeat_amount,
            -- sample standard deviation over mean
            case
                when month_count = {{ n }} and not is_partial and amount_sum > 0
                then
                    sqrt(
                        greatest(
                            {{
                                div(
                                    n
                                    ~ " * square_sum - cast(amount_sum as decimal(18, 2)) * cast(amount_sum as decimal(18, 2))",
                                    n * (n - 1),
                                )
                            }},
                            0
                        )
                    )
                    / {{ div("amount_sum", n) }}
            end as revenue_cv
        from spread
    )

select *
from final
