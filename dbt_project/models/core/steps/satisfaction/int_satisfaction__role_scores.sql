{# One row per questionnaire, with the scores of the roles that marts ask for side by side. #}
{%- set roles = {
    "overall": "overall_satisfaction",
    "disconfirmation": "disconfirmation",
    "ideal": "ideal",
    "expectation": "expectation",
    "perceived": "perceived",
    "recommend": "recommend",
    "repurchase": "repurchase_intent",
    "quality": "dimension:quality",
    "service": "dimension:service",
    "price": "dimension:price",
    "delivery": "dimension:delivery",
    "care": "dimension:care",
} -%}
with
    scores as (select * from {{ ref("fct_survey_scores") }}),

    final as (
        select
            response_key,
            {%- for name, role in roles.items() %}
                max(case when role = '{{ role }}' then score end) as {{ name }}_score,
                max(
                    case when role = '{{ role }}' then score_index end
                ) as {{ name }}_index,
                max(
                    case when role = '{{ role }}' then scale_min end
                ) as {{ name }}_scale_min,
                max(
                    case when role = '{{ role }}' then scale_max end
                ) as {{ name }}_scale_max
                {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from scores
        group by response_key
    )

select *
from final
