{%- set arms = ["obstacle", "plain"] -%}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    exposures as (select * from {{ ref("int_retention__obstacle_exposures") }}),

    counted as (
        select
            exposures.kind,
            segments.segment_by,
            segments.segment,
            {%- for arm in arms %}
                {%- set is = "" if arm == "obstacle" else "not" %}
                count(
                    case when {{ is }} exposures.has_obstacle then 1 end
                ) as {{ arm }}_count,
                count(
                    case
                        when {{ is }} exposures.has_obstacle and exposures.has_ordered
                        then 1
                    end
                ) as {{ arm }}_ordered_count
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from exposures
        inner join segments on exposures.customer_key = segments.customer_key
        group by exposures.kind, segments.segment_by, segments.segment
    ),

    rated as (
        select
            *,
            least(obstacle_count, plain_count) < {{ var("min_base") }} as is_suppressed,
            {{ div("obstacle_ordered_count", "obstacle_count") }} as obstacle_rate,
            {{ div("plain_ordered_count", "plain_count") }} as plain_rate
        from counted
    ),

    compared as (
        select
            *,
            obstacle_rate / nullif(plain_rate, 0) as ratio,
            -- Katz et al. 1978: the standard error of the ratio's logarithm, times z
            case
                when obstacle_ordered_count > 0 and plain_ordered_count > 0
                then
                    {{ var("z_score") }} * sqrt(
                        (1 - obstacle_rate) / obstacle_ordered_count
                        + (1 - plain_rate) / plain_ordered_count
                    )
            end as spread
        from rated
    ),

    final as (
        select
            kind,
            segment_by,
            segment,
            is_suppressed,
            {%- for arm in arms %}
                cast({{ arm }}_count as bigint) as {{ arm }}_count,
                cast({{ arm }}_ordered_count as bigint) as {{ arm }}_ordered_count,
                {%- for name, value in [
                    ("rate", arm ~ "_rate"),
                    ("low", wilson_low(arm ~ "_rate", arm ~ "_count")),
                    ("high", wilson_high(arm ~ "_rate", arm ~ "_count")),
                ] %}
                    case
                        when not is_suppressed
                        then cast({{ value }} as {{ type_double() }})
                    end as {{ arm }}_order_{{ name }},
                {%- endfor %}
            {%- endfor %}
            {%- for name, value in [
                ("ratio", "ratio"),
                ("ratio_low", "ratio * exp(- spread)"),
                ("ratio_high", "ratio * exp(spread)"),
            ] %}
                case
                    when not is_suppressed then cast({{ value }} as {{ type_double() }})
                end as order_{{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from compared
    )

select *
from final
