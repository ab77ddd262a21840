{#
  Treated against untreated. Plain: the difference of the days after. Matched: the difference in
  differences within tenths of the order days before, weighted by the treated. Variances from sums:
  (sum x^2 - (sum x)^2 / n) / (n - 1) / n for each arm.
#}
with
    plans as (select * from {{ ref("int_programme__comparison_plans") }}),

    strata as (select * from {{ ref("int_programme__comparison_strata") }}),

    matched as ({{ arm_differences("strata", ["change", "trend"], by_stratum=true) }}),

    weighted as (
        select
            comparison_key,
            measure,
            sum(treated_count) as matched_treated_count,
            sum(control_count) as matched_control_count,
            {% for name in ["change", "trend"] %}
                {{ weighted_difference(name) }} as {{ name }}_difference,
                {{ weighted_variance(name) }} as {{ name }}_variance
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from matched
        group by comparison_key, measure
    ),

    plain as ({{ arm_differences("strata", ["after"], by_stratum=false) }}),

    measures as (
        select 'order_days' as measure
        union all
        select 'cm3'
        union all
        select 'buyers'
    ),

    final as (
        select
            {{ made_key(["plans.comparison_key", "measures.measure"]) }} as result_key,
            plans.comparison_key,
            plans.kind,
            plans.source,
            plans.compared_key,
            plans.month,
            measures.measure,
            plain.treated_count,
            plain.control_count,
            plain.after_treated_mean,
            plain.after_control_mean,
            plain.after_difference as plain_difference,
            sqrt(plain.after_variance) as plain_error,
            weighted.matched_treated_count,
            weighted.matched_control_count,
            weighted.change_difference as matched_difference,
            sqrt(weighted.change_variance) as matched_error,
            case
                when weighted.trend_variance > 0
                then
                    {{
                        normal_p_value(
                            "weighted.trend_difference / sqrt(weighted.trend_variance)"
                        )
                    }}
            end as trend_p_value,
            case
                when plans.reason is not null
                then plans.reason
                when
                    coalesce(weighted.matched_treated_count, 0) < {{ var("min_base") }}
                    or coalesce(weighted.matched_control_count, 0)
                    < {{ var("min_base") }}
                then 'fewer than {{ var("min_base") }} comparable customers on one side'
            end as reason
        from plans
        cross join measures
        left join
            plain
            on plans.comparison_key = plain.comparison_key
            and measures.measure = plain.measure
        left join
            weighted
            on plans.comparison_key = weighted.comparison_key
            and measures.measure = weighted.measure
    )

select *
from final
