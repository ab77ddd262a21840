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

    waves as (select * from {{ ref("dim_survey_waves") }}),

    experiences as (select * from {{ ref("fct_survey_experiences") }}),

    numbered as (
        select experiences.*, waves.wave_number
        from experiences
        inner join waves using (source, survey_id, wave)
    ),

    moved as (
        select numbered.*, before.mouth_class as previous_class
        from numbered
        left join
            numbered as before
            on numbered.source = before.source
            and numbered.survey_id = before.survey_id
            and numbered.respondent_type = before.respondent_type
            and numbered.customer_key = before.customer_key
            and numbered.wave_number = before.wave_number + 1
            -- one survey for every order may ask a customer twice in a wave
            and not exists (
                select 1
                from numbered as other
                where
                    other.source = before.source
                    and other.survey_id = before.survey_id
                    and other.respondent_type = before.respondent_type
                    and other.customer_key = before.customer_key
                    and other.wave_number = before.wave_number
                    and other.response_key != before.response_key
            )
    ),

    -- problems, behaviour afterwards, and moves of the same people since the wave
    -- before
    more as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            wave_number,
            count(has_problem) as problem_answer_count,
            {{ count_among("has_problem", "has_problem") }} as problem_count,
            count(has_repurchased) as outcome_count,
            {{ count_among("has_repurchased", "has_repurchased") }}
            as repurchased_count,
            {{
                count_where(
                    "previous_class= 'satisfied' and mouth_class is not null"
                )
            }} as satisfied_before_count,
            {{
                count_among(
                    "case when previous_class= 'satisfied' then mouth_class end",
                    "previous_class= 'satisfied' and mouth_class= 'delighted'",
                )
            }} as upgrade_count,
            {{
                count_where(
                    "previous_class= 'delighted' and mouth_class is not null"
                )
            }} as delighted_before_count,
            {{
                count_among(
                    "case when previous_class= 'delighted' then mouth_class end",
                    "previous_class= 'delighted' and mouth_class= 'satisfied'",
                )
            }} as downgrade_count
        from moved
        group by source, survey_id, wave, respondent_type, wave_number
    ),

    -- the level of service that the shop wants to keep
    targets as (
        select source, min(target) as target
        from {{ ref("stg_targets__targets") }}
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
                "problem_answer_count",
                "problem_count",
                "outcome_count",
                "repurchased_count",
                "satisfied_before_count",
                "upgrade_count",
                "delighted_before_count",
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
                then (lag(log_expected) over in_order) - log_expected
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
