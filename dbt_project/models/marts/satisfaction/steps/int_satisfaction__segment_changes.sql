{# Changes between waves: where waves share people, with the interval of the bootstrap by customer. #}
{%- set key = "source, survey_id, wave, respondent_type, segment_by, segment" -%}
{%- set family = "source, survey_id, wave, respondent_type, segment_by = 'all'" -%}
{%- set measures = ["index", "top_box", "nps"] -%}
with
    figures as (select * from {{ ref("int_satisfaction__segment_figures") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    fitted as (select * from {{ source("estimates", "survey_changes") }}),

    numbered as (
        select
            figures.*,
            waves.wave_number,
            case when not is_suppressed then satisfaction_index end as shown_index,
            case when not is_suppressed then top_box_rate end as shown_top_box,
            case when not is_nps_suppressed then nps end as shown_nps,
            case
                when not is_c_suppressed and perceived_sum > 0 and expected_sum > 0
                then ln({{ div("perceived_sum", "c_count") }})
            end as perceived_log,
            case
                when not is_c_suppressed and perceived_sum > 0 and expected_sum > 0
                then ln({{ div("expected_sum", "c_count") }})
            end as expected_log,
            case
                when not is_suppressed then {{ div("index_variance", "index_count") }}
            end as index_error
        from figures
        inner join waves using (source, survey_id, wave)
    ),

    -- each segment with itself one wave before, as if no customer had answered both
    -- waves; small bases are not compared
    compared as (
        select
            newer.source,
            newer.survey_id,
            newer.wave,
            newer.respondent_type,
            newer.segment_by,
            newer.segment,
            before.wave as previous_wave,
            newer.shown_index - before.shown_index as index_change,
            sqrt(newer.index_error + before.index_error) as index_change_error,
            newer.shown_top_box - before.shown_top_box as top_box_change,
            {{
                div(
                    "newer.top_box_count + before.top_box_count",
                    "newer.scored_count + before.scored_count",
                )
            }} as pooled_top_box,
            {{ div("1", "newer.scored_count") }}
            + {{ div("1", "before.scored_count") }} as both_bases,
            sqrt(
                {{
                    div(
                        "newer.top_box_rate * (1 - newer.top_box_rate)",
                        "newer.scored_count",
                    )
                }}
                + {{
                    div(
                        "before.top_box_rate * (1 - before.top_box_rate)",
                        "before.scored_count",
                    )
                }}
            ) as top_box_change_error,
            newer.perceived_log - before.perceived_log as c_change_from_perceived,
            before.expected_log - newer.expected_log as c_change_from_expected,
            newer.shown_nps - before.shown_nps as nps_change,
            sqrt(newer.nps_variance + before.nps_variance) as nps_change_error
        from numbered as newer
        left join
            numbered as before
            on newer.source = before.source
            and newer.survey_id = before.survey_id
            and newer.respondent_type = before.respondent_type
            and newer.segment_by = before.segment_by
            and newer.segment = before.segment
            and newer.wave_number = before.wave_number + 1
    ),

    steps as (
        select
            *,
            {{ normal_p_value(div("index_change", "index_change_error")) }}
            as index_change_p_value,
            {{
                normal_p_value(
                    div(
                        "top_box_change",
                        "sqrt(pooled_top_box * (1 - pooled_top_box) * both_bases)",
                    )
                )
            }} as top_box_change_p_value,
            {{ normal_p_value(div("nps_change", "nps_change_error")) }}
            as nps_change_p_value
        from compared
    ),

    shared as (
        select
            {{ key }},
            max(shared_rate) as shared_rate,
            {% for name in measures %}
                {% for column in ["change_low", "change_high", "p_value"] %}
                    max(
                        case when measure = '{{ name }}' then {{ column }} end
                    ) as {{ name }}_{{ column }},
                {% endfor %}
            {% endfor %}
            max(p_value) is not null as is_bootstrapped
        from fitted
        group by {{ key }}
    ),

    joined as (
        select
            {% for column in key.split(", ") %} steps.{{ column }}, {% endfor %}
            steps.previous_wave,
            steps.c_change_from_perceived,
            steps.c_change_from_expected,
            shared.shared_rate as shared_customer_rate,
            case
                when steps.previous_wave is null
                then null
                when coalesce(shared.is_bootstrapped, false)
                then 'bootstrap by customer'
                else 'independent waves'
            end as change_method,
            {% for name in measures %}
                steps.{{ name }}_change,
                case
                    when steps.{{ name }}_change is not null
                    then
                        coalesce(
                            shared.{{ name }}_change_low,
                            steps.{{ name }}_change
                            - {{ var("z_score") }} * steps.{{ name }}_change_error
                        )
                end as {{ name }}_change_low,
                case
                    when steps.{{ name }}_change is not null
                    then
                        coalesce(
                            shared.{{ name }}_change_high,
                            steps.{{ name }}_change
                            + {{ var("z_score") }} * steps.{{ name }}_change_error
                        )
                end as {{ name }}_change_high,
                case
                    when steps.{{ name }}_change is not null
                    then
                        coalesce(
                            shared.{{ name }}_p_value, steps.{{ name }}_change_p_value
                        )
                end as {{ name }}_change_p_value
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from steps
        left join shared using ({{ key }})
    ),

    -- many segments are compared at once: Benjamini & Hochberg's false discovery rate
    ranked as (
        select
            *,
            count(index_change_p_value) over (
                partition by {{ family }}
            ) as family_count,
            count(index_change_p_value) over (
                partition by {{ family }} order by index_change_p_value nulls last
            ) as family_rank
        from joined
    ),

    final as (
        select
            *,
            case
                when index_change_p_value is not null
                then
                    min(index_change_p_value * family_count / family_rank) over (
                        partition by {{ family }}
                        order by index_change_p_value desc nulls last
                    )
            end as index_change_q_value
        from ranked
    )

select *
from final
