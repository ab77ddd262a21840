{# Within a mode of a wave: the mean score of respondents with a gift less that of those without. #}
with
    responses as (
        select *
        from {{ ref("fct_survey_responses") }}
        where respondent_type = 'customer' and not is_duplicate
    ),

    results as (select * from {{ ref("fct_survey_results") }}),

    scores as (
        select
            responses.source,
            responses.survey_id,
            responses.wave,
            coalesce(responses.mode, 'unknown') as mode,
            results.overall_score as x,
            -- said to be none is none; said nothing is unknown
            lower(responses.incentive) not in ('', 'no', 'none') as is_gifted
        from responses
        inner join results on responses.response_key = results.response_key
    ),

    summed as (
        select
            source,
            survey_id,
            wave,
            mode,
            {% for name, gifted in [
                ("gift", "is_gifted"),
                ("plain", "not is_gifted"),
            ] %}
                count(case when {{ gifted }} then x end) as {{ name }}_count,
                sum(case when {{ gifted }} then x end) as {{ name }}_sum,
                sum(
                    case when {{ gifted }} then {{ wide_product("x", "x", 4) }} end
                ) as {{ name }}_squares
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from scores
        group by source, survey_id, wave, mode
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            mode,
            gift_count,
            plain_count,
            {{ div("gift_sum", "gift_count") }}
            - {{ div("plain_sum", "plain_count") }} as incentive_effect,
            sqrt(
                {% for name in ["gift", "plain"] %}
                    {{
                        div(
                            variance_of_sums(
                                name ~ "_count", name ~ "_sum", name ~ "_squares"
                            ),
                            name ~ "_count",
                        )
                    }}
                    {% if not loop.last %} + {% endif %}
                {% endfor %}
            ) as incentive_effect_error
        from summed
    )

select *
from final
