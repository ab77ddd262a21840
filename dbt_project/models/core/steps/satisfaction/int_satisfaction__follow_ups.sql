{# The order days of all customers who answered, before the answer and in the days after it. #}
with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    answered as (
        select
            responses.response_key,
            responses.source,
            responses.survey_id,
            responses.wave,
            responses.customer_key,
            customers.currency_code,
            responses.submitted_date,
            {{ add_days("responses.submitted_date", var("horizon_days")) }}
            as follow_up_end_date
        from {{ ref("fct_survey_responses") }} as responses
        -- what strangers, employees and dealers buy is not known
        inner join customers on responses.customer_key = customers.customer_key
        where not responses.is_duplicate and responses.respondent_type = 'customer'
    ),

    order_days as (select * from {{ ref("fct_respondent_days") }}),

    placed as (
        select
            answered.response_key,
            order_days.calendar_date,
            order_days.lapse_date,
            order_days.kept_order_count,
            order_days.calendar_date <= answered.submitted_date as is_before,
            order_days.calendar_date
            > {{ add_days("answered.submitted_date", -var("survey_base_days")) }}
            and order_days.calendar_date <= answered.submitted_date as is_prior,
            order_days.calendar_date > answered.submitted_date
            and order_days.calendar_date <= answered.follow_up_end_date as is_after,
            order_days.lapse_date > answered.submitted_date
            and order_days.lapse_date <= answered.follow_up_end_date as is_lapse
        from answered
        inner join order_days on answered.customer_key = order_days.customer_key
    ),

    counted as (
        select
            response_key,
            count(case when is_prior then 1 end) as prior_order_day_count,
            max(case when is_before then calendar_date end) as last_order_date,
            sum(
                case when is_after then kept_order_count else 0 end
            ) as kept_order_count,
            count(case when is_lapse then 1 end) as lapse_count
        from placed
        group by response_key
    ),

    final as (
        select
            answered.*,
            counted.last_order_date,
            coalesce(counted.prior_order_day_count, 0) as prior_order_day_count,
            coalesce(counted.kept_order_count, 0) as kept_order_count,
            coalesce(counted.lapse_count, 0) as lapse_count
        from answered
        left join counted on answered.response_key = counted.response_key
    )

select *
from final
