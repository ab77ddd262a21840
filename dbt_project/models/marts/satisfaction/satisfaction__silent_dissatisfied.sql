{#-
  The silent = complainers * (1/q - 1): an estimate under an assumption, never an observation. Beside it our own q, from
  what dissatisfied respondents say, and what the silent among them did.
-#}
{%- set qs = {
    "assumed": var("expected_complaint_rate"),
    "fewest": var("expected_complaint_rate_high"),
    "most": var("expected_complaint_rate_low"),
} -%}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    complainers as (
        select outcomes.customer_key
        from {{ ref("fct_ticket_outcomes") }} as outcomes
        cross join as_of
        where
            outcomes.is_complaint
            and outcomes.customer_key is not null
            and outcomes.opened_date <= as_of.as_of
            and outcomes.opened_date
            > {{ window_start("as_of.as_of", var("value_window_months")) }}
        group by outcomes.customer_key
    ),

    tickets as (select count(*) > 0 as is_known from {{ ref("fct_ticket_outcomes") }}),

    people as (
        select experiences.*
        from {{ ref("fct_survey_experiences") }} as experiences
        cross join as_of
        where
            experiences.respondent_type = 'customer'
            and experiences.submitted_date <= as_of.as_of
            and experiences.submitted_date
            > {{ window_start("as_of.as_of", var("value_window_months")) }}
    ),

    complained as (
        select
            segments.segment_by,
            segments.segment,
            -- without a single ticket on record nobody knows who complained
            case
                when tickets.is_known then count(complainers.customer_key)
            end as complainer_count
        from segments
        cross join tickets
        left join complainers on segments.customer_key = complainers.customer_key
        group by segments.segment_by, segments.segment, tickets.is_known
    ),

    answered as (
        select
            segments.segment_by,
            segments.segment,
            {{
                count_where(
                    "satisfaction_class= 'dissatisfied' and has_complained is not null"
                )
            }} as dissatisfied_count,
            {{ count_where("satisfaction_class= 'dissatisfied' and has_complained") }}
            as dissatisfied_complained_count,
            {{ count_where("has_problem and has_complained is not null") }}
            as problem_count,
            {{ count_where("has_problem and has_complained") }}
            as problem_complained_count,
            {{
                count_where(
                    "satisfaction_class= 'dissatisfied' and not has_complained and has_repurchased is not null"
                )
            }}
            as silent_observed_count,
            {{
                count_where(
                    "satisfaction_class= 'dissatisfied' and not has_complained and not has_repurchased"
                )
            }}
            as silent_gone_count
        from segments
        inner join people on segments.customer_key = people.customer_key
        group by segments.segment_by, segments.segment
    ),

    counts as (
        select
            complained.*,
            {% for name in [
                "dissatisfied_count",
                "dissatisfied_complained_count",
                "problem_count",
                "problem_complained_count",
                "silent_observed_count",
                "silent_gone_count",
            ] -%}
                cast(coalesce(answered.{{ name }}, 0) as bigint) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from complained
        left join answered using (segment_by, segment)
    ),

    rated as (
        select
            *,
            {{
                suppress_small_rate(
                    "own_complaint",
                    "dissatisfied_complained_count",
                    "dissatisfied_count",
                )
            }},
            {{
                suppress_small_rate(
                    "problem_complaint", "problem_complained_count", "problem_count"
                )
            }},
            {{
                suppress_small_rate(
                    "silent_defection", "silent_gone_count", "silent_observed_count"
                )
            }}
        from counts
    ),

    final as (
        select
            *,
            coalesce(dissatisfied_count, 0) < {{ var("min_base") }} as is_suppressed,
            {% for name, q in qs.items() %}
                cast({{ q }} as {{ type_double() }}) as {{ name }}_complaint_rate,
                complainer_count * cast(
                    {{ 1 / q }} as {{ type_double() }}
                ) as {{ name }}_dissatisfied_estimate,
                complainer_count * cast(
                    {{ 1 / q - 1 }} as {{ type_double() }}
                ) as {{ name }}_silent_estimate,
            {% endfor %}
            complainer_count
            * ({{ div("1", "own_complaint_rate") }} - 1) as own_silent_estimate,
            complainer_count * (
                {{ div("1", "own_complaint_rate_high") }} - 1
            ) as own_silent_estimate_low,
            complainer_count
            * ({{ div("1", "own_complaint_rate_low") }} - 1) as own_silent_estimate_high
        from rated
    )

select *
from final
