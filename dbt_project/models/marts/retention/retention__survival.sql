with
    points as (
        select * from {{ ref("int_retention__survival_curves") }} where curve <> 'gap'
    ),

    means as (select * from {{ ref("int_retention__survival_means") }}),

    final as (
        select
            points.curve,
            points.segment_by,
            points.segment,
            points.duration_days,
            means.base_count,
            means.event_count as total_event_count,
            points.at_risk_count,
            points.event_count,
            points.censored_count,
            means.base_count < {{ var("min_base") }} as is_suppressed,
            {%- for name in [
                "points.survival_rate",
                "points.survival_standard_error",
                "points.survival_low",
                "points.survival_high",
                "means.restricted_mean_days",
            ] %}
                cast(
                    {{ suppress_small(name, "means.base_count") }}
                    as {{ type_double() }}
                ) as {{ name.split(".")[1] }},
            {%- endfor %}
            means.horizon_days,
            {{ suppress_small("means.median_days", "means.base_count") }} as median_days
        from points
        inner join means using (curve, segment_by, segment)
    )

select *
from final
