{# Sums of each month that the monthly figures are made of. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    sales as (
        select
            customers.source,
            customer_months.month,
            count(case when customer_months.order_count > 0 then 1 end) as active_count,
            count(
                case
                    when
                        customer_months.order_count > 0
                        and customers.first_order_month = customer_months.month
                        and not customers.is_left_truncated
                    then 1
                end
            ) as new_count,
            sum(customer_months.order_count) as order_count,
            sum(customer_months.refund_count) as refund_count,
            sum(
                case
                    when customers.currency_code = as_of.reporting_currency_code
                    then {{ waterfall("net", "customer_months") }}
                end
            ) as net_amount,
            sum(
                case
                    when customers.currency_code = as_of.reporting_currency_code
                    then customer_months.gross_amount
                end
            ) as gross_amount,
            sum(
                case
                    when customers.currency_code = as_of.reporting_currency_code
                    then customer_months.discount_amount
                end
            ) as discount_amount
        from {{ ref("fct_customer_months") }} as customer_months
        inner join customers on customer_months.base_key = customers.customer_key
        cross join as_of
        group by customers.source, customer_months.month
    ),

    answers as (
        select
            source,
            {{ month_start("submitted_date") }} as month,
            count(satisfaction_index) as index_count,
            sum(satisfaction_index) as index_sum
        from {{ ref("fct_survey_results") }}
        where not is_duplicate and respondent_type = 'customer'
        group by source, {{ month_start("submitted_date") }}
    ),

    tickets as (
        select
            source, {{ month_start("opened_date") }} as month, count(*) as ticket_count
        from {{ ref("fct_tickets") }}
        where kind = 'complaint'
        group by source, {{ month_start("opened_date") }}
    ),

    spine as (
        select sources.source, months.month, months.is_partial
        from
            (
                select source, min(month) as first_month from sales group by source
            ) as sources
        inner join months on sources.first_month <= months.month
    ),

    final as (
        select
            spine.*,
            {% for name in ["active", "order", "refund"] %}
                coalesce(sales.{{ name }}_count, 0) as {{ name }}_count,
            {% endfor %}
            -- in the data's first churn_days nobody can be told to be new
            {% if var("left_truncation") %}
                case
                    when
                        spine.month
                        >= {{ add_days("as_of.data_start_date", var("churn_days")) }}
                    then coalesce(sales.new_count, 0)
                end as new_count,
            {% else %} coalesce(sales.new_count, 0) as new_count,
            {% endif %}
            coalesce(sales.net_amount, 0) as net_amount,
            sales.gross_amount,
            sales.discount_amount,
            answers.index_count,
            answers.index_sum,
            -- without any complaint on record nobody knows how many there were
            case
                when count(tickets.ticket_count) over (partition by spine.source) > 0
                then coalesce(tickets.ticket_count, 0)
            end as complaint_count
        from spine
        cross join as_of
        left join sales using (source, month)
        left join answers using (source, month)
        left join tickets using (source, month)
    )

select *
from final
