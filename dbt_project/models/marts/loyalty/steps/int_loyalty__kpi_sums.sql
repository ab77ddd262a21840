{# Sums of each month that the monthly figures are made of. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    results as (
        select *
        from {{ ref("fct_survey_results") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    -- of customers of the base; amounts in the reporting currency only
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
            count(
                case
                    when customer_months.order_count > 0 and customers.is_target then 1
                end
            ) as target_count,
            count(
                case when customer_months.order_count > 0 then customers.is_target end
            ) as target_known_count,
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

    known_events as (
        select
            source,
            order_key,
            lower(kind) as kind,
            {{ month_start("occurred_date") }} as month,
            coalesce(event_count, 1) as event_count
        from {{ ref("stg_events__events") }}
        inner join as_of on occurred_date <= as_of.as_of
    ),

    -- recommendations shown and followed, checkouts begun and done, social contacts
    events as (
        select
            source,
            month,
            {% for kind in ["rec_shown", "checkout_start", "checkout_done", "social"] %}
                sum(
                    case when kind = '{{ kind }}' then event_count end
                ) as {{ kind }}_count,
            {% endfor %}
            -- an order counts once, however often a recommendation was followed
            count(
                distinct case when kind = 'rec_click' then order_key end
            ) as rec_order_count
        from known_events
        group by source, month
    ),

    scales as ({{ usual_scales("results", "source", "overall_scale_max") }}),

    -- waves are compared, not months: late answers stay with their wave
    answers as (
        select
            results.source,
            waves.month,
            count(results.satisfaction_index) as index_count,
            sum(results.satisfaction_index) as index_sum
        from results
        inner join scales using (source, overall_scale_max)
        inner join waves using (source, survey_id, wave)
        group by results.source, waves.month
    ),

    complaints as (
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
            {% for name in ["active", "order"] %}
                coalesce(sales.{{ name }}_count, 0) as {{ name }}_count,
            {% endfor %}
            -- without any refund on record it is not known how many there were
            case
                when sum(sales.refund_count) over (partition by spine.source) > 0
                then coalesce(sales.refund_count, 0)
            end as refund_count,
            sales.target_count,
            sales.target_known_count,
            -- in the data's first churn_days it cannot be seen who is new
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
            -- without any complaint on record it is not known how many there were
            case
                when count(complaints.ticket_count) over (partition by spine.source) > 0
                then coalesce(complaints.ticket_count, 0)
            end as complaint_count,
            events.rec_shown_count,
            events.rec_order_count,
            events.checkout_start_count,
            greatest(
                0, events.checkout_start_count - coalesce(events.checkout_done_count, 0)
            ) as checkout_lost_count,
            events.social_count
        from spine
        cross join as_of
        left join sales using (source, month)
        left join answers using (source, month)
        left join complaints using (source, month)
        left join events using (source, month)
    )

select *
from final
