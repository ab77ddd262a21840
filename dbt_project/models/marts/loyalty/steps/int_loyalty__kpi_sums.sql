{# Sums of each month that the monthly figures are made of. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    sales as (select * from {{ ref("int_loyalty__kpi_sales") }}),

    results as (
        select *
        from {{ ref("fct_survey_results") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    scales as ({{ usual_scales("results", "source", "overall_scale_max") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

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

    events as (select * from {{ ref("int_loyalty__kpi_events") }}),

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
            -- without any refund on record nobody knows how many there were
            case
                when sum(sales.refund_count) over (partition by spine.source) > 0
                then coalesce(sales.refund_count, 0)
            end as refund_count,
            sales.target_count,
            sales.target_known_count,
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
