with
    origins as (select * from {{ ref("int_profitability__customer_origins") }}),

    acquisition_costs as (
        select * from {{ ref("int_profitability__acquisition_costs") }}
    ),

    predictions as (select * from {{ ref("fct_customer_predictions") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    margins as (select * from {{ ref("int_profitability__origin_cohort_margins") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    members as ({{ origin_members("origins", "segments") }}),

    -- how customers began, what winning them cost and what they are worth
    cohorts as (
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
    ),

    joined as (
        select
            margins.*,
            {{ months_between("margins.cohort_month", "margins.month") }}
            as month_number,
            cohorts.cohort_size,
            cohorts.acquisition_cost_amount,
            cohorts.predicted_count,
            cohorts.cohort_size < {{ var("min_base") }} as is_suppressed,
            case
                when cohorts.acquisition_cost_count = cohorts.cohort_size
                then {{ div("cohorts.acquisition_cost_amount", "cohorts.cohort_size") }}
            end as cac_amount,
            {{ div("margins.cumulative_cm3_amount", "cohorts.cohort_size") }}
            as cumulative_cm3_mean_amount,
            -- a mean over those whose orders can be predicted
            {{ div("cohorts.predicted_value_amount", "cohorts.predicted_count") }}
            as predicted_value_mean_amount,
            row_number() over (
                partition by
                    margins.segment_by,
                    margins.segment,
                    margins.currency_code,
                    margins.cohort_month
                order by margins.month desc
            ) as months_to_last
        from margins
        inner join cohorts using (segment_by, segment, currency_code, cohort_month)
    ),

    paid as (
        select
            *,
            min(
                case
                    when
                        not is_partial
                        and cac_amount > 0
                        and cumulative_cm3_mean_amount >= cac_amount
                    then month_number
                end
            ) over (cohort) as payback_month_number,
            max(case when months_to_last = 1 then cumulative_cm3_mean_amount end) over (
                cohort
            )
            + coalesce(predicted_value_mean_amount, 0) as lifetime_value_mean_amount
        from joined
        window cohort as (partition by segment_by, segment, currency_code, cohort_month)
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "paid.segment_by",
                        "paid.segment",
                        "paid.currency_code",
                        "paid.cohort_month",
                        "paid.month",
                    ]
                )
            }} as cohort_month_key,
            paid.segment_by,
            paid.segment,
            paid.cohort_month,
            paid.month,
            cast(paid.month_number as bigint) as month_number,
            paid.is_partial as is_partial_month,
            cast(paid.cohort_size as bigint) as cohort_size,
            cast(paid.active_count as bigint) as active_count,
            paid.currency_code,
            paid.cm3_amount,
            paid.cumulative_net_amount,
            paid.cumulative_cm3_amount,
            {{ origin_cohort_columns("paid") }},
            basis.cost_basis
        from paid
        cross join basis
    )

select *
from final
