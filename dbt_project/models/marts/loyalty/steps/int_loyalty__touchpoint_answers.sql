{# Answers by the touchpoint they are about: satisfaction, effort and convenience, 0..100 on their scales. #}
with
    responses as (
        select responses.*
        from {{ ref("fct_survey_responses") }} as responses
        inner join
            {{ ref("dim_as_of") }} as as_of on responses.submitted_date <= as_of.as_of
        where
            not responses.is_duplicate
            and responses.respondent_type = 'customer'
            and responses.touchpoint is not null
    ),

    asked as (
        select *
        from {{ ref("fct_survey_scores") }}
        where role in ('overall_satisfaction', 'effort', 'convenience')
    ),

    scales as ({{ usual_scales("asked", "source, role", "scale_max") }}),

    scores as (select * from asked inner join scales using (source, role, scale_max)),

    final as (
        select
            responses.source,
            {{ month_start("responses.submitted_date") }} as month,
            'touchpoint' as touchpoint_by,
            responses.touchpoint,
            count(distinct responses.response_key) as response_count,
            {% for role, name in [
                ("overall_satisfaction", "score"),
                ("effort", "effort"),
                ("convenience", "convenience"),
            ] %}
                count(
                    case when scores.role = '{{ role }}' then scores.score_index end
                ) as {{ name }}_count,
                sum(
                    case
                        when scores.role = '{{ role }}'
                        then cast(scores.score_index as decimal(18, 4))
                    end
                ) as {{ name }}_sum,
            {% endfor %}
            sum(
                case
                    when scores.role = 'overall_satisfaction'
                    then
                        cast(scores.score_index as decimal(18, 4))
                        * cast(scores.score_index as decimal(18, 4))
                end
            ) as score_square_sum
        from responses
        left join scores on responses.response_key = scores.response_key
        group by
            responses.source,
            {{ month_start("responses.submitted_date") }},
            responses.touchpoint
    )

select *
from final
