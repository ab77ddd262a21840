{# Every measure of value as rates: its place, and what high and low scorers do, satisfied or not. #}
{%- set key = "source, survey_id, wave, respondent_type" -%}
{%- set groups = ["high_satisfied", "low_satisfied", "high_other", "low_other"] -%}
with
    sums as (select * from {{ ref("int_satisfaction__measure_sums") }}),

    benefits as (select * from sums where measure = 'total_benefit'),

    sacrifices as (select * from sums where measure = 'total_sacrifice'),

    ratios as (
        select
            {{ key }},
            {{
                div(
                    div("benefits.place_sum", "benefits.answer_count"),
                    div("sacrifices.place_sum", "sacrifices.answer_count"),
                )
            }} as delivered_ratio
        from benefits
        inner join sacrifices using ({{ key }})
    ),

    final as (
        select
            sums.*,
            {{ div("place_sum", "answer_count") }} as place_mean,
            case
                when answer_count > 1
                then
                    sqrt(
                        greatest(
                            0,
                            cast(
                                answer_count * place_square_sum
                                - place_sum * place_sum as {{ type_double() }}
                            )
                            / answer_count
                            / (answer_count - 1)
                        )
                        / answer_count
                    )
            end as place_error,
            case
                when measure = 'delivered_value' then ratios.delivered_ratio
            end as ratio,
            high_satisfied_count + high_other_count as high_followed_count,
            low_satisfied_count + low_other_count as low_followed_count,
            {{
                div(
                    "high_satisfied_again_count + high_other_again_count",
                    "high_satisfied_count + high_other_count",
                )
            }} as high_rate_again,
            {{
                div(
                    "low_satisfied_again_count + low_other_again_count",
                    "low_satisfied_count + low_other_count",
                )
            }} as low_rate_again,
            least(
                high_satisfied_count,
                low_satisfied_count,
                high_other_count,
                low_other_count
            ) as smallest_group_count,
            {% for name in groups %}
                {{ div(name ~ "_again_count", name ~ "_count") }} as {{ name }}_rate
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from sums
        left join ratios using ({{ key }})
    )

select *
from final
