{# The figures of a wave with its place on the control chart (limits from earlier waves only) the levers of c and the target. #}
with
    figures as (
        select *
        from {{ ref("int_satisfaction__segment_figures") }}
        where segment_by = 'all'
    ),

    changes as (
        select *
        from {{ ref("int_satisfaction__segment_changes") }}
        where segment_by = 'all'
    ),

    more as (select * from {{ ref("int_satisfaction__wave_figures") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    -- the level of service that the shop wants to keep
    targets as (
        select source, min(target) as target
        from {{ ref("int_targets__current") }}
        where metric = 'top_two_rate' and coalesce(segment, 'all') = 'all'
        group by source
    ),

    joined as (
        select
            figures.*,
            waves.month,
            targets.target,
            {% for name in [
                "wave_number",
                "problem_n",
                "problem_count",
                "outcome_n",
                "repurchased_count",
                "satisfied_before_n",
                "upgrade_count",
                "delighted_before_n",
                "downgrade_count",
            ] -%}
                more.{{ name }},
            {% endfor %}
            {% for name in [
                "previous_wave",
                "index_change",
                "index_change_p_value",
                "top_box_change",
                "top_box_change_p_value",
                "nps_change",
            ] -%}
                changes.{{ name }},
            {% endfor %}
            case
                when perceived_sum > 0 then ln({{ div("perceived_sum", "c_count") }})
            end as log_perceived,
            case
                when expected_sum > 0 then ln({{ div("expected_sum", "c_count") }})
            end as log_expected
        from figures
        inner join waves using (source, survey_id, wave)
        inner join more using (source, survey_id, wave, respondent_type)
        left join changes using (source, survey_id, wave, respondent_type)
        left join targets using (source)
    ),

    charted as (
        select
            joined.*,
            {{
                div(
                    "sum(top_two_count) over earlier",
                    "sum(scored_count) over earlier",
                )
            }} as centre_rate,
            count(*) over earlier as earlier_count,
            case
                when lag(wave_number) over in_order = wave_number - 1
                then log_perceived - lag(log_perceived) over in_order
            end as perceived_lever,
            case
                when lag(wave_number) over in_order = wave_number - 1
                then lag(log_expected) over in_order - log_expected
            end as expected_lever
        from joined
        window
            in_order as (
                partition by source, survey_id, respondent_type order by wave_number
            ),
            earlier as (
                partition by source, survey_id, respondent_type
                order by wave_number
                rows between unbounded preceding and 1 preceding
            )
    ),

    final as (
        select
            *,
            case
                when earlier_count >= {{ var("control_waves") }} then centre_rate
            end as control_centre_rate,
            case
                when earlier_count >= {{ var("control_waves") }} and scored_count > 0
                then
                    {{ var("control_sigma") }}
                    * sqrt(centre_rate * (1 - centre_rate) / scored_count)
            end as control_width
        from charted
    )

select *
from final
