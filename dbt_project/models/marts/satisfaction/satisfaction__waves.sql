with
    charts as (select * from {{ ref("int_satisfaction__wave_control_charts") }}),

    -- dimensions of any name that the survey's list of questions has
    listed as (
        select source, survey_id, count(distinct role) as listed_count
        from {{ ref("dim_survey_questions") }}
        where role like 'dimension:%'
        group by source, survey_id
    ),

    dimensions as (
        select
            results.source,
            results.survey_id,
            results.wave,
            results.respondent_type,
            count(distinct scores.role) as asked_count
        from {{ ref("fct_survey_results") }} as results
        inner join
            {{ ref("fct_survey_scores") }} as scores
            on results.response_key = scores.response_key
        where scores.role like 'dimension:%'
        group by
            results.source, results.survey_id, results.wave, results.respondent_type
    ),

    -- of customers only
    word_of_mouth as (
        select *, 'customer' as respondent_type
        from {{ ref("int_satisfaction__word_of_mouth") }}
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            month,
            cast(wave_number as bigint) as wave_number,
            previous_wave,
            response_count,
            scored_count,
            is_suppressed,
            cast(coalesce(asked_count, 0) as bigint) as asked_dimension_count,
            case
                when listed_count > 0 then coalesce(asked_count = listed_count, false)
            end as has_all_dimensions,

            -- the four figures of a wave
            {{
                with_interval(
                    "satisfaction_index",
                    "satisfaction_index",
                    "sqrt(" ~ div("index_variance", "index_count") ~ ")",
                    when="not is_suppressed",
                    least=0,
                    most=100,
                )
            }},
            top_two_count,
            {{ suppress_small_rate("top_two", "top_two_count", "scored_count") }},
            {% for name, part, base in [
                ("defect", "problem_count", "problem_answer_count"),
                ("repurchase", "repurchased_count", "outcome_count"),
                ("recommend", "promoter_count", "nps_count"),
            ] %}
                {{ base }}, {{ part }}, {{ suppress_small_rate(name, part, base) }},
            {% endfor %}
            {{
                with_interval(
                    "nps",
                    "nps",
                    "sqrt(nps_variance)",
                    when="not is_nps_suppressed",
                    least=-100,
                    most=100,
                )
            }},

            -- change against the wave before
            index_change,
            index_change_p_value,
            top_box_change,
            top_box_change_p_value,
            nps_change,
            coalesce(index_change_p_value < 0.05, false) as is_index_changed,

            -- control chart
            control_centre_rate,
            case
                when control_width is not null
                then greatest(0, control_centre_rate - control_width)
            end as control_rate_low,
            case
                when control_width is not null
                then least(1, control_centre_rate + control_width)
            end as control_rate_high,
            abs({{ div("top_two_count", "scored_count") }} - control_centre_rate)
            > control_width as is_out_of_control,

            -- the same people, one wave later
            {% for name, part, base in [
                ("upgrade", "upgrade_count", "satisfied_before_count"),
                ("downgrade", "downgrade_count", "delighted_before_count"),
            ] %}
                {{ base }}, {{ part }}, {{ suppress_small_rate(name, part, base) }},
            {% endfor %}

            -- why c moved
            c_count,
            {% for name in ["c_ratio_of_means", "perceived_lever", "expected_lever"] %}
                case when not is_c_suppressed then {{ name }} end as {{ name }},
            {% endfor %}

            -- level of service
            cast(target as {{ type_double() }}) as target_top_two_rate,
            {{ suppress_small_mean("top_two_count", "scored_count") }}
            < target as is_below_target,

            -- word of mouth: a scenario, and what respondents say
            word_of_mouth.classed_count,
            word_of_mouth.is_word_of_mouth_suppressed,
            word_of_mouth.dissatisfied_count,
            word_of_mouth.dissatisfied_heard_scenario,
            word_of_mouth.dissatisfied_told_answer_count,
            word_of_mouth.dissatisfied_told_mean,
            word_of_mouth.dissatisfied_told_mean_low,
            word_of_mouth.dissatisfied_told_mean_high,
            word_of_mouth.is_dissatisfied_scenario_likely,
            word_of_mouth.satisfied_count,
            word_of_mouth.satisfied_heard_scenario,
            word_of_mouth.satisfied_told_answer_count,
            word_of_mouth.satisfied_told_mean,
            word_of_mouth.satisfied_told_mean_low,
            word_of_mouth.satisfied_told_mean_high,
            word_of_mouth.is_satisfied_scenario_likely,
            word_of_mouth.delighted_count,
            word_of_mouth.delighted_heard_scenario,
            word_of_mouth.delighted_told_answer_count,
            word_of_mouth.delighted_told_mean,
            word_of_mouth.delighted_told_mean_low,
            word_of_mouth.delighted_told_mean_high,
            word_of_mouth.is_delighted_scenario_likely,
            word_of_mouth.net_heard_scenario,
            word_of_mouth.break_even_ratio,
            word_of_mouth.satisfied_ratio,
            word_of_mouth.net_told_count
        from charts
        left join listed using (source, survey_id)
        left join dimensions using (source, survey_id, wave, respondent_type)
        left join word_of_mouth using (source, survey_id, wave, respondent_type)
    )

select *
from final
