{# Cohorts by how customers began, with what winning them cost and what they are worth. #}
with
    origins as (select * from {{ ref("int_profitability__customer_origins") }}),

    acquisition_costs as (
        select * from {{ ref("int_profitability__acquisition_costs") }}
    ),

    predictions as (select * from {{ ref("fct_customer_predictions") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    members as ({{ origin_members("origins", "segments") }}),

    final as (
        select
            members.segment_by,
            members.segment,
            members.currency_code,
            members.cohort_month,
            count(*) as cohort_size,
            sum(acquisition_costs.acquisition_cost_amount) as acquisition_cost_amount,
            count(acquisition_costs.customer_key) as acquisition_cost_count,
            sum(predictions.clv_amount) as predicted_value_amount,
            count(predictions.clv_amount) as predicted_count
        from members
        left join
            acquisition_costs on members.customer_key = acquisition_costs.customer_key
        left join predictions on members.customer_key = predictions.customer_key
        group by
            members.segment_by,
            members.segment,
            members.currency_code,
            members.cohort_month
    )

select *
from final
