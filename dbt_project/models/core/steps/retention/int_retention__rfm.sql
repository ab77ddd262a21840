{#
  Fifths by the middle of the places that equal customers share; 5 is the most recent, the most frequent, the biggest. A
  customer with one order day is no frequent one, however many others have as few.
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (
        select *
        from {{ ref("dim_customers") }}
        where base = 'customer' and first_order_date is not null
    ),

    days as (select * from {{ ref("fct_customer_order_days") }}),

    spent as (
        select base_key as customer_key, {{ order_day_sums("days") }}
        from days
        group by base_key
    ),

    windowed as (
        select days.base_key as customer_key, {{ order_day_sums("days") }}
        from days
        inner join
            {{ ref("dim_value_windows") }} as windows
            on windows.window_number = 0
            and days.calendar_date > windows.start_date
            and days.calendar_date <= windows.end_date
        group by days.base_key
    ),

    valued as (
        select
            customers.customer_key,
            customers.currency_code,
            customers.last_order_date,
            customers.order_day_count,
            {{ waterfall("net", "spent") }} as net_amount,
            case
                when windowed.order_count > 0 then {{ waterfall("net", "windowed") }}
            end as window_net_amount,
            customers.last_order_date
            > {{ add_days("as_of.as_of", -var("churn_days")) }} as is_active
        from customers
        cross join as_of
        inner join spent on customers.customer_key = spent.customer_key
        left join windowed on customers.customer_key = windowed.customer_key
    ),

    heavy as (
        select
            currency_code,
            {{ rounded(percentile("window_net_amount", var("heavy_percentile")), 4) }}
            as heavy_from_amount
        from valued
        where is_active
        group by currency_code
    ),

    final as (
        select
            valued.*,
            coalesce(
                valued.window_net_amount >= heavy.heavy_from_amount, false
            ) as is_heavy_buyer,
            {%- for name, column, cut in [
                ("recency_score", "last_order_date", ""),
                ("frequency_score", "order_day_count", ""),
                ("monetary_score", "net_amount", "valued.currency_code"),
            ] %}
                {%- set part = "partition by " ~ cut if cut else "" %}
                {%- set before = (
                    "(rank() over ("
                    ~ part
                    ~ " order by valued."
                    ~ column
                    ~ ") - 1)"
                ) %}
                {%- set equal = (
                    "count(*) over (partition by "
                    ~ (cut ~ ", " if cut else "")
                    ~ "valued."
                    ~ column
                    ~ ")"
                ) %}
                {%- set all_rows = "count(*) over (" ~ part ~ ")" %}
                cast(
                    least(
                        {% if name == "frequency_score" %}
                            case when valued.order_day_count = 1 then 2 else 5 end,
                        {% endif %}
                        5,
                        floor(
                            {{
                                div(
                                    "5 * (2 * " ~ before ~ " + " ~ equal ~ ")",
                                    "2 * " ~ all_rows,
                                )
                            }}
                        )
                        + 1
                    ) as integer
                ) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from valued
        left join heavy on valued.currency_code = heavy.currency_code
    )

select *
from final
