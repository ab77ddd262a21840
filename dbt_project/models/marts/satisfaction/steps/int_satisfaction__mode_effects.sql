{#
  How far the weighted mean score of a mode of a wave lies from that of the other
  modes. Variances and effective bases from exact sums of weights.
#}
with
    responses as (
        select *
        from {{ ref("fct_survey_responses") }}
        where respondent_type = 'customer' and not is_duplicate
    ),

    results as (select * from {{ ref("fct_survey_results") }}),

    weights as (select * from {{ ref("int_satisfaction__weights") }}),

    scores as (
        select
            responses.source,
            responses.survey_id,
            responses.wave,
            coalesce(responses.mode, 'unknown') as mode,
            results.overall_score as x,
            case when results.overall_score is not null then weights.weight end as w
        from responses
        inner join results on responses.response_key = results.response_key
        left join weights on responses.response_key = weights.response_key
    ),

    by_mode as (
        select
            source,
            survey_id,
            wave,
            mode,
            {{ count_where("w is not null") }} as weighted_count,
            coalesce(sum(w), 0) as w_sum,
            coalesce(sum({{ wide_product("w", "w", 8) }}), 0) as ww_sum,
            coalesce(sum({{ wide_product("w", "x", 8) }}), 0) as wx_sum,
            coalesce(
                sum(
                    cast(w as decimal(19, 8))
                    * cast({{ wide_product("x", "x", 4) }} as decimal(19, 8))
                ),
                0
            ) as wxx_sum
        from scores
        group by source, survey_id, wave, mode
    ),

    compared as (
        select
            *,
            {% for name in ["w", "ww", "wx", "wxx"] -%}
                (sum({{ name }}_sum) over whole)
                - {{ name }}_sum as other_{{ name }}_sum
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from by_mode
        window whole as (partition by source, survey_id, wave)
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            mode,
            weighted_count,
            {{ div("w_sum * w_sum", "ww_sum") }} as effective_count,
            {{ div("wx_sum", "w_sum") }}
            - {{ div("other_wx_sum", "other_w_sum") }} as mode_effect,
            sqrt(
                {% for side in ["", "other_"] %}
                    {%- set mean = div(side ~ "wx_sum", side ~ "w_sum") -%}
                    greatest(
                        0,
                        {{ div(side ~ "wxx_sum", side ~ "w_sum") }}
                        - {{ mean }} * {{ mean }}
                    )
                    * {{ div(side ~ "ww_sum", side ~ "w_sum * " ~ side ~ "w_sum") }}
                    {% if not loop.last %} + {% endif %}
                {% endfor %}
            ) as mode_effect_error
        from compared
    )

select *
from final
