{%- set keys = ["shown.source", "shown.survey_id", "segment_by", "segment", "score"] -%}
with
    rates as (select * from {{ ref("int_satisfaction__score_rates") }}),

    curves as (select * from {{ ref("int_satisfaction__loyalty_curves") }}),

    shown as (
        select
            source,
            survey_id,
            segment_by,
            segment,
            score,
            scale_max,
            loyalty_class,
            customer_count,
            effective_count,
            active_count,
            margin_count,
            currency_code,
            customer_count < {{ var("min_base") }} as is_suppressed,
            {% for name, base in [
                ("repurchase_rate", "customer_count"),
                ("repurchase_rate_weighted", "customer_count"),
                ("churn_rate", "active_count"),
            ] %}
                {% for end in ["", "_low", "_high"] %}
                    {{ suppress_small(name ~ end, base) }} as {{ name }}{{ end }},
                {% endfor %}
            {% endfor %}
            {{ suppress_small("repurchase_rate_adjusted", "customer_count") }}
            as repurchase_rate_adjusted,
            {{ suppress_small("margin_mean_amount", "margin_count") }}
            as margin_mean_amount
        from rates
    ),

    final as (
        select
            {{ made_key(keys) }} as loyalty_curve_key,
            shown.source,
            shown.survey_id,
            shown.segment_by,
            shown.segment,
            cast(shown.score as {{ type_double() }}) as score,
            cast(scale_max as {{ type_double() }}) as scale_max,
            loyalty_class,
            {{ var("horizon_days") }} as horizon_days,
            customer_count,
            effective_count,
            is_suppressed,
            repurchase_rate,
            repurchase_rate_low,
            repurchase_rate_high,
            repurchase_rate_weighted,
            repurchase_rate_weighted_low,
            repurchase_rate_weighted_high,
            repurchase_rate_adjusted,
            repurchase_rate_adjusted is not null as is_adjusted,
            case
                when is_suppressed
                then 'too few customers with this score'
                when repurchase_rate_adjusted is null
                then
                    'association, not adjusted: who buys often scores higher, and no third of earlier frequency may be empty'
                else 'association, not cause'
            end as caveat,
            active_count,
            churn_rate,
            churn_rate_low,
            churn_rate_high,
            margin_count,
            margin_mean_amount,
            currency_code,
            -- one curve for each survey, of all customers
            curves.curve_status,
            curves.curve_reason,
            curves.curve_measure,
            curves.curve_count,
            curves.curve_shape,
            curves.threshold_low,
            curves.threshold_high,
            curves.slope_1,
            curves.slope_2,
            curves.slope_3,
            curves.rate_1,
            curves.rate_2,
            curves.rate_3,
            curves.bic_gain
        from shown
        left join
            curves
            on shown.source = curves.source
            and shown.survey_id = curves.survey_id
            and shown.segment_by = 'all'
    )

select *
from final
