{#-
  Two things side by side: the scenario (so many people hear from a dissatisfied, a satisfied and a delighted customer; figures of
  unproven origin) and the measurement (the number of people told, as respondents say).
-#}
{%- set z = var("z_score") -%}
{%- set classes = {
    "dissatisfied": var("wom_dissatisfied"),
    "satisfied": var("wom_satisfied"),
    "delighted": var("wom_delighted"),
} -%}
with
    experiences as (
        select *
        from {{ ref("fct_survey_experiences") }}
        where respondent_type = 'customer'
    ),

    summed as (
        select
            source,
            survey_id,
            wave,
            count(mouth_class) as classed_count,
            {%- for class in classes %}
                {{ count_among("mouth_class", "mouth_class = '" ~ class ~ "'") }}
                as {{ class }}_count,
                {{ count_where("mouth_class = '" ~ class ~ "' and told_count is not null") }}
                as {{ class }}_told_answer_count,
                sum(
                    case when mouth_class = '{{ class }}' then told_count end
                ) as {{ class }}_people_told,
                sum(
                    case
                        when mouth_class = '{{ class }}'
                        then {{ wide_product("told_count", "told_count") }}
                    end
                ) as {{ class }}_squares
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from experiences
        group by source, survey_id, wave
    ),

    measured as (
        select
            *,
            {%- for class in classes %}
                {{ suppress_small_mean(class ~ "_people_told", class ~ "_told_answer_count") }}
                as {{ class }}_told_mean,
                sqrt(
                    {{ variance_of_sums(class ~ "_told_answer_count", class ~ "_people_told", class ~ "_squares") }}
                    / nullif({{ class }}_told_answer_count, 0)
                ) as {{ class }}_error
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from summed
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            classed_count,
            classed_count < {{ var("min_base") }} as is_word_of_mouth_suppressed,
            {%- for class, multiplier in classes.items() %}
                {{ class }}_count,
                cast(
                    {{ suppress_small(class ~ "_count * " ~ multiplier, "classed_count") }}
                    as {{ type_double() }}
                ) as {{ class }}_heard_scenario,
                {{ class }}_told_answer_count,
                {{
                    with_interval(
                        class ~ "_told_mean", class ~ "_told_mean", class ~ "_error"
                    )
                }},
                {{ multiplier }}
                between {{ class }}_told_mean
                - {{ z }} * {{ class }}_error and {{ class }}_told_mean
                + {{ z }} * {{ class }}_error as is_{{ class }}_scenario_likely,
            {%- endfor %}
            case
                when {{ is_enough("classed_count") }}
                then
                    cast(
                        {{ var("wom_satisfied") }} * satisfied_count
                        + {{ var("wom_delighted") }} * delighted_count
                        - {{ var("wom_dissatisfied") }}
                        * dissatisfied_count as {{ type_double() }}
                    )
            end as net_heard_scenario,
            {{ div(var("wom_dissatisfied"), var("wom_satisfied")) }}
            as break_even_ratio,
            {{
                suppress_small(
                    div("satisfied_count", "dissatisfied_count"), "classed_count"
                )
            }} as satisfied_ratio,
            -- where no one was asked, it is not known
            case
                when
                    {{ is_enough("classed_count") }}
                    and coalesce(
                        satisfied_people_told,
                        delighted_people_told,
                        dissatisfied_people_told
                    )
                    is not null
                then
                    cast(
                        coalesce(satisfied_people_told, 0)
                        + coalesce(delighted_people_told, 0)
                        - coalesce(dissatisfied_people_told, 0) as {{ type_double() }}
                    )
            end as net_told_count
        from measured
    )

select *
from final
