{# The scores of a questionnaire with its index, its stated probability, and whether expected and perceived can be compared. #}
{%- set weights = var("index_weights") -%}
{%- set items = {
    "overall": "overall_satisfaction",
    "disconfirmation": "disconfirmation",
    "ideal": "ideal",
} -%}
{%- set columns = {
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
    given as (select * from {{ ref("fct_survey_scores") }}),

    responses as (
        select response_key, source, survey_id from {{ ref("fct_survey_responses") }}
    ),

    -- one row per questionnaire: the scores of the roles that marts read
    scores as (
        select
            response_key,
            {%- for name, role in columns.items() %}
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
        from given
        group by response_key
    ),

    roles as (
        select distinct source, survey_id, role from {{ ref("dim_survey_questions") }}
    ),

    asked as (
        select
            source,
            survey_id,
            sum(
                case
                    role
                    {% for role in items.values() %}
                        when '{{ role }}' then {{ weights[role] }}
                    {% endfor %}
                end
            ) as weight_sum
        from roles
        group by source, survey_id
    ),

    weighted as (
        select
            scores.*,
            asked.weight_sum,
            {%- for name, role in items.items() %}
                {% if not loop.first %} + {% endif %}
                coalesce({{ weights[role] }} * scores.{{ name }}_index, 0)
            {%- endfor %} as weighted_index_sum,
            {%- for name, role in items.items() %}
                {% if not loop.first %} + {% endif %}
                case
                    when scores.{{ name }}_index is not null
                    then {{ weights[role] }}
                    else 0
                end
            {%- endfor %} as answered_weight_sum
        from responses
        inner join scores on responses.response_key = scores.response_key
        left join asked using (source, survey_id)
    ),

    final as (
        select
            *,
            -- an index without all its items would be on another base than its wave's
            case
                when answered_weight_sum = weight_sum
                then {{ rounded(div("weighted_index_sum", "answered_weight_sum"), 8) }}
            end as satisfaction_index,
            -- expected and perceived can be compared on one scale only
            coalesce(
                expectation_scale_min = perceived_scale_min
                and expectation_scale_max = perceived_scale_max,
                false
            ) as is_one_scale,
            case
                when repurchase_scale_min = 0
                then {{ rounded(div("repurchase_score", "repurchase_scale_max"), 6) }}
            end as repurchase_probability
        from weighted
    )

select *
from final
