{#-
  The silent = complainers * (1/q - 1): an estimate under an assumption, never an observation. Beside it our own q, from
  what dissatisfied respondents say, and what the silent among them did.
-#}
{%- set qs = {
    "assumed": var("expected_complaint_rate"),
    "fewest": var("expected_complaint_rate_high"),
    "most": var("expected_complaint_rate_low"),
} -%}
{%- set own_qs = {
    "": "own_complaint_rate",
    "_low": "own_complaint_rate_high",
    "_high": "own_complaint_rate_low",
} -%}
{%- set answered = {
    "dissatisfied_count": "satisfaction_class= 'dissatisfied' and has_complained is not null",
    "dissatisfied_complained_count": "satisfaction_class= 'dissatisfied' and has_complained",
    "problem_count": "has_problem and has_complained is not null",
    "problem_complained_count": "has_problem and has_complained",
    "silent_observed_count": "satisfaction_class= 'dissatisfied' and not has_complained and has_repurchased is not null",
    "silent_gone_count": "satisfaction_class= 'dissatisfied' and not has_complained and not has_repurchased",
} -%}
{%- set rates = {
    "own_complaint": (
        "dissatisfied_complained_count",
        "dissatisfied_count",
    ),
    "problem_complaint": ("problem_complained_count", "problem_count"),
    "silent_defection": ("silent_gone_count", "silent_observed_count"),
} -%}
{%- set scope = "source, survey_id, segment_by, segment" -%}
with
    as_of as (
        select
            as_of, {{ window_start("as_of", var("value_window_months")) }} as after_date
        from {{ ref("dim_as_of") }}
    ),

    segments as (
        select segments.*, customers.source
        from {{ ref("dim_customer_segments") }} as segments
        inner join
            {{ ref("dim_customers") }} as customers
            on segments.customer_key = customers.customer_key
    ),

    tickets as (select * from {{ ref("fct_ticket_outcomes") }}),

    complainers as (
        select tickets.customer_key
        from tickets
        inner join
            as_of
            on tickets.opened_date <= as_of.as_of
            and tickets.opened_date > as_of.after_date
        where tickets.is_complaint and tickets.customer_key is not null
        group by tickets.customer_key
    ),

    people as (
        select experiences.*
        from {{ ref("fct_survey_experiences") }} as experiences
        inner join
            as_of
            on experiences.submitted_date <= as_of.as_of
            and experiences.submitted_date > as_of.after_date
        where experiences.respondent_type = 'customer'
    ),

    -- whether a survey asks its people about complaints at all
    surveys as (
        select source, survey_id, count(has_complained) > 0 as has_asked
        from people
        group by source, survey_id
    ),

    complained as (
        select
            segments.source,
            segments.segment_by,
            segments.segment,
            count(*) as customer_count,
            -- without a single ticket that says whose and of what kind it is, it is not
            -- known who complained
            case
                when
                    segments.source in (
                        select source
                        from tickets
                        where customer_key is not null and is_complaint is not null
                    )
                then count(complainers.customer_key)
            end as complainer_count
        from segments
        left join complainers on segments.customer_key = complainers.customer_key
        group by segments.source, segments.segment_by, segments.segment
    ),

    answered as (
        select
            {{ scope }},
            {% for name, condition in answered.items() %}
                {{ count_where(condition) }} as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from people
        inner join segments using (source, customer_key)
        group by {{ scope }}
    ),

    counts as (
        select
            complained.source,
            surveys.survey_id,
            complained.segment_by,
            complained.segment,
            complained.customer_count,
            complained.complainer_count,
            {% for name in answered %}
                case
                    when surveys.has_asked
                    then
                        {%- set figure %} cast(coalesce(answered.{{ name }}, 0) as bigint) {% endset %}
                        {{
                            (
                                when_delivered("customer_orders", figure)
                                if name.startswith("silent_")
                                else figure
                            )
                        }}
                end as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from complained
        left join surveys on complained.source = surveys.source
        left join
            answered
            on complained.source = answered.source
            and surveys.survey_id = answered.survey_id
            and complained.segment_by = answered.segment_by
            and complained.segment = answered.segment
    ),

    rated as (
        select
            *,
            {% for rate, (part, whole) in rates.items() %}
                {{ suppress_small_rate(rate, part, whole) }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from counts
    ),

    estimated as (
        select
            *,
            {% for name, q in qs.items() %}
                cast({{ q }} as {{ type_double() }}) as {{ name }}_complaint_rate,
                complainer_count
                * cast({{ 1 / q }} as {{ type_double() }}) as {{ name }}_estimate,
            {% endfor %}
            {% for end, q in own_qs.items() %}
                {{ div("complainer_count", q) }} as own_estimate{{ end }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from rated
    ),

    -- there are no more dissatisfied than customers
    capped as (
        select
            *,
            {% for name in [
                "assumed_estimate",
                "fewest_estimate",
                "most_estimate",
                "own_estimate",
                "own_estimate_low",
                "own_estimate_high",
            ] %}
                case
                    when {{ name }} > customer_count
                    then cast(customer_count as {{ type_double() }})
                    else {{ name }}
                end as capped_{{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from estimated
    ),

    final as (
        select
            source,
            survey_id,
            segment_by,
            segment,
            customer_count,
            complainer_count,
            {% for name in answered %} {{ name }}, {% endfor %}
            {% for rate in rates %}
                {{ rate }}_rate, {{ rate }}_rate_low, {{ rate }}_rate_high,
            {% endfor %}
            coalesce(dissatisfied_count, 0) < {{ var("min_base") }} as is_suppressed,
            {% for name in qs %}
                {{ name }}_complaint_rate,
                capped_{{ name }}_estimate as {{ name }}_dissatisfied_estimate,
                capped_{{ name }}_estimate
                - complainer_count as {{ name }}_silent_estimate,
            {% endfor %}
            {% for end in own_qs %}
                capped_own_estimate{{ end }}
                - complainer_count as own_silent_estimate{{ end }},
            {% endfor %}
            assumed_estimate > customer_count as is_assumed_rate_refuted,
            case
                when complainer_count is null
                then
                    'no ticket of this source says whose it is and whether it is a complaint'
                when assumed_estimate > customer_count
                then
                    'the assumed rate is refuted: it makes more dissatisfied than there are customers, so the estimate ends at them'
                else 'an estimate under an assumed rate, not an observation'
            end as caveat
        from capped
    )

select *
from final
