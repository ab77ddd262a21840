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
    counts as (select * from {{ ref("int_satisfaction__complaint_rates") }}),

    rated as (
        select
            *,
            {{
                shown_rate(
                    "own_complaint",
                    "dissatisfied_complained_count",
                    "dissatisfied_count",
                )
            }},
            {{
                shown_rate(
                    "problem_complaint", "problem_complained_count", "problem_count"
                )
            }},
            {{
                shown_rate(
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
