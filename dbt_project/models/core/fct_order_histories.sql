with
    windows as (select * from {{ ref("dim_fit_windows") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (select * from {{ ref("fct_customer_order_days") }} where order_count > 0),

    final as (
        select
            windows.fit_window,
            customers.customer_key,
            customers.currency_code,
            customers.is_left_truncated,
            cast(
                count(
                    case
                        when
                            days.calendar_date > customers.first_order_date
                            and days.calendar_date <= windows.window_end_date
                        then 1
                    end
                ) as bigint
            ) as repeat_day_count,
            {{
                days_between(
                    "customers.first_order_date",
                    "max(case when days.calendar_date <= windows.window_end_date then days.calendar_date end)",
                )
            }}
            as recency_days,
            {{ days_between("customers.first_order_date", "windows.window_end_date") }}
            as age_days,
            {% for name, condition in [
                (
                    "",
                    "days.calendar_date > customers.first_order_date and days.calendar_date <= windows.window_end_date",
                ),
                ("holdout_", "days.calendar_date > windows.window_end_date"),
            ] %}
                -- a day without value, or of unknown value in another currency, is a
                -- day but has no amount
                cast(
                    count(
                        case
                            when
                                {{ condition }}
                                and days.goods_amount + days.shipping_amount > 0
                            then 1
                        end
                    ) as bigint
                ) as {{ name }}valued_day_count,
                cast(
                    sum(
                        case
                            when
                                {{ condition }}
                                and days.goods_amount + days.shipping_amount > 0
                            then days.goods_amount + days.shipping_amount
                            else 0
                        end
                    ) as {{ type_amount() }}
                ) as {{ name }}valued_amount,
            {% endfor %}
            cast(
                count(
                    case when days.calendar_date > windows.window_end_date then 1 end
                ) as bigint
            ) as holdout_day_count
        from customers
        inner join windows on customers.first_order_date <= windows.window_end_date
        inner join
            days
            on customers.customer_key = days.base_key
            and days.calendar_date <= windows.as_of
        group by
            windows.fit_window,
            windows.window_end_date,
            customers.customer_key,
            customers.currency_code,
            customers.is_left_truncated,
            customers.first_order_date
    )

select *
from final
