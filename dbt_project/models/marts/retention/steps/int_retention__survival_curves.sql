{#
  Kaplan & Meier (1958): S(t) = prod(1 - d/n), as exp of a sum of logarithms that are cut to 18 decimals so that
  their sum does not hang on its order. Standard error by Greenwood (1926), interval on the log-log scale
  (Kalbfleisch & Prentice 1980), which never leaves 0..1.
#}
{%- set log_step = "ln(" ~ div("at_risk_count - event_count", "at_risk_count") ~ ")" -%}
{%- set greenwood_step = div(
    "event_count", "at_risk_count * (at_risk_count - event_count)"
) -%}
{%- set so_far = "partition by curve, segment_by, segment order by duration_days" -%}
with
    times as (select * from {{ ref("int_retention__survival_times") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    attributes as (
        select segment_by
        from segments
        union
        select 'all' as segment_by
    ),

    segmented as (
        select
            times.curve,
            attributes.segment_by,
            -- a contract of a customer without an order and a CRM record
            coalesce(
                segments.segment,
                case when attributes.segment_by = 'all' then 'all' else 'unknown' end
            ) as segment,
            times.duration_days,
            times.is_event
        from times
        cross join attributes
        left join
            segments
            on times.customer_key = segments.customer_key
            and attributes.segment_by = segments.segment_by
        union all
        select curve, 'plan' as segment_by, plan as segment, duration_days, is_event
        from times
        where curve = 'contract'
        union all
        select
            curve,
            'exit_fee' as segment_by,
            exit_fee as segment,
            duration_days,
            is_event
        from times
        where curve = 'contract'
    ),

    counts as (
        select
            curve,
            segment_by,
            segment,
            cast(duration_days as bigint) as duration_days,
            cast(sum(case when is_event then 1 else 0 end) as bigint) as event_count,
            cast(sum(case when is_event then 0 else 1 end) as bigint) as censored_count
        from segmented
        group by curve, segment_by, segment, duration_days
    ),

    at_risk as (
        select
            *,
            cast(
                sum(event_count + censored_count) over (
                    partition by curve, segment_by, segment order by duration_days desc
                ) as bigint
            ) as at_risk_count
        from counts
    ),

    -- when the last ones at risk end, there is nothing left to take a logarithm of
    steps as (
        select
            *,
            {%- for name, value in [("log", log_step), ("greenwood", greenwood_step)] %}
                case
                    when event_count < at_risk_count
                    then cast({{ value }} as decimal(28, 18))
                    else 0
                end as {{ name }}_step
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from at_risk
    ),

    summed as (
        select
            *,
            cast(
                sum(log_step) over ({{ so_far }}) as {{ type_double() }}
            ) as log_survival,
            sqrt(
                cast(sum(greenwood_step) over ({{ so_far }}) as {{ type_double() }})
            ) as log_error,
            max(case when event_count = at_risk_count then 1 else 0 end) over (
                {{ so_far }}
            )
            = 1 as is_extinct
        from steps
    ),

    final as (
        select
            {{ made_key(["curve", "segment_by", "segment", "duration_days"]) }}
            as curve_point_key,
            curve,
            segment_by,
            segment,
            duration_days,
            at_risk_count,
            event_count,
            censored_count,
            {{ rounded("case when is_extinct then 0 else exp(log_survival) end", 12) }}
            as survival_rate,
            {{
                rounded(
                    "case when not is_extinct then exp(log_survival) * log_error end",
                    12,
                )
            }} as survival_standard_error,
            -- the standard error of ln(-ln S) is the one of ln S over -ln S
            {%- for name, sign in [("low", ""), ("high", "-")] %}
                {{
                    rounded(
                        "case when is_extinct then null when log_survival = 0 then 1 else exp(log_survival * exp("
                        ~ sign
                        ~ var("z_score")
                        ~ " * log_error / - log_survival)) end",
                        10,
                    )
                }}
                as survival_{{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from summed
    )

select *
from final
