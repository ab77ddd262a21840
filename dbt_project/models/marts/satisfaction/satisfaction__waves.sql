with
    charts as (select * from {{ ref("fct_wave_charts") }}),

    targets as (
        select source, min(target) as target
        from {{ ref("dim_targets") }}
        where metric = 'top_two_rate' and segment = 'all'
        group by source
    ),

    -- a questionnaire has to ask about quality, service, price and delivery
    dimensions as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            {% for name in ["quality", "service", "price", "delivery"] -%}
                {% if not loop.first %} + {% endif -%}
                max(case when {{ name }}_score is not null then 1 else 0 end)
            {% endfor %} as asked_count
        from {{ ref("fct_survey_results") }}
        group by source, survey_id, wave, respondent_type
    ),

    final as (
        select
            charts.source,
            charts.survey_id,
            charts.wave,
            charts.respondent_type,
            charts.month,
            cast(charts.wave_number as bigint) as wave_number,
            charts.previous_wave,
            charts.response_count,
            charts.scored_count,
            charts.is_suppressed,
            cast(
                coalesce(dimensions.asked_count, 0) as bigint
            ) as asked_dimension_count,
            coalesce(dimensions.asked_count = 4, false) as has_all_dimensions,
            -- the four figures of a wave
            {% for end in ["", "_low", "_high"] -%}
                case
                    when not charts.is_suppressed
                    then
                        charts.satisfaction_index
                        {%- if end %}
                            {{ "-" if end == "_low" else "+" }}
                            {{ var("z_score") }} * sqrt(
                                {{ div("charts.index_variance", "charts.index_count") }}
                            )
                        {%- endif %}
                end as satisfaction_index{{ end }},
            {% endfor %}
            charts.top_two_count,
            {{ shown_rate("top_two", "charts.top_two_count", "charts.scored_count") }},
            charts.problem_n,
            charts.problem_count,
            {{ shown_rate("defect", "charts.problem_count", "charts.problem_n") }},
            charts.outcome_n,
            charts.repurchased_count,
            {{
                shown_rate(
                    "repurchase", "charts.repurchased_count", "charts.outcome_n"
                )
            }},
            charts.nps_count,
            charts.promoter_count,
            {{ shown_rate("recommend", "charts.promoter_count", "charts.nps_count") }},
            case when not charts.is_nps_suppressed then charts.nps end as nps,

            -- change against the wave before
            charts.index_change,
            charts.index_change_p_value,
            charts.top_box_change,
            charts.top_box_change_p_value,
            charts.nps_change,
            coalesce(charts.index_change_p_value < 0.05, false) as is_index_changed,

            -- control chart
            charts.control_centre_rate,
            case
                when charts.control_width is not null
                then greatest(0, charts.control_centre_rate - charts.control_width)
            end as control_rate_low,
            case
                when charts.control_width is not null
                then least(1, charts.control_centre_rate + charts.control_width)
            end as control_rate_high,
            abs(
                {{ div("charts.top_two_count", "charts.scored_count") }}
                - charts.control_centre_rate
            )
            > charts.control_width as is_out_of_control,

            -- the same people, one wave later
            charts.satisfied_before_n,
            charts.upgrade_count,
            {{
                shown_rate(
                    "upgrade", "charts.upgrade_count", "charts.satisfied_before_n"
                )
            }},
            charts.delighted_before_n,
            charts.downgrade_count,
            {{
                shown_rate(
                    "downgrade", "charts.downgrade_count", "charts.delighted_before_n"
                )
            }},

            -- why c moved
            charts.c_count,
            case
                when not charts.is_c_suppressed then charts.c_ratio_of_means
            end as c_ratio_of_means,
            case
                when not charts.is_c_suppressed then charts.perceived_lever
            end as perceived_lever,
            case
                when not charts.is_c_suppressed then charts.expected_lever
            end as expected_lever,

            -- level of service
            cast(targets.target as {{ type_double() }}) as target_top_two_rate,
            case
                when charts.scored_count >= {{ var("min_base") }}
                then
                    {{ div("charts.top_two_count", "charts.scored_count") }}
                    < targets.target
            end as is_below_target
        from charts
        left join targets on charts.source = targets.source
        left join
            dimensions
            on charts.source = dimensions.source
            and charts.survey_id = dimensions.survey_id
            and charts.wave = dimensions.wave
            and charts.respondent_type = dimensions.respondent_type
    )

select *
from final
