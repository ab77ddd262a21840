{# Changes between waves: where waves share people, with the interval of the bootstrap by customer. #}
{%- set key = "source, survey_id, wave, respondent_type, segment_by, segment" -%}
{%- set family = "source, survey_id, wave, respondent_type, segment_by = 'all'" -%}
{%- set measures = ["index", "top_box", "nps"] -%}
with
    steps as (select * from {{ ref("int_satisfaction__segment_steps") }}),

    fitted as (select * from {{ source("estimates", "survey_changes") }}),

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
