{{ config(tags=["scored"]) }}
{#
  How far the weighted mean score of a mode of a wave lies from that of the other
  modes. Variances and effective bases from exact sums of weights. And, within a mode, the mean score of who got
  a gift less that of who got none.
#}
with
    responses as (
        select *
        from {{ ref("fct_survey_responses") }}
        where respondent_type = 'customer'
    ),

    results as (select * from {{ ref("fct_survey_results") }}),

    weights as (select * from {{ ref("fct_survey_weights") }}),

    joined as (
        select
            responses.*,
            coalesce(responses.mode, 'unknown') as known_mode,
            results.overall_score as x,
            -- said to be none is none; said nothing is unknown
            lower(responses.incentive) not in ('', 'no', 'none') as is_gifted,
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
            known_mode as mode,
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
            ) as wxx_sum,
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
        from joined
        group by source, survey_id, wave, known_mode
    ),

    compared as (
        select
            by_mode.*,
            {% for name in ["w", "ww", "wx", "wxx"] -%}
                sum({{ name }}_sum) over whole - {{ name }}_sum as other_{{ name }}_sum
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
                greatest(
                    0,
                    {{ div("wxx_sum", "w_sum") }}
                    - {{ div("wx_sum", "w_sum") }} * {{ div("wx_sum", "w_sum") }}
                )
                * {{ div("ww_sum", "w_sum * w_sum") }}
                + greatest(
                    0,
                    {{ div("other_wxx_sum", "other_w_sum") }}
                    - {{ div("other_wx_sum", "other_w_sum") }}
                    * {{ div("other_wx_sum", "other_w_sum") }}
                )
                * {{ div("other_ww_sum", "other_w_sum * other_w_sum") }}
            ) as mode_effect_error,
            gift_count,
            plain_count,
            {{ div("gift_sum", "gift_count") }}
            - {{ div("plain_sum", "plain_count") }} as incentive_effect,
            sqrt(
                {{
                    div(
                        variance_of_sums("gift_count", "gift_sum", "gift_squares"),
                        "gift_count",
                    )
                }}
                + {{
                    div(
                        variance_of_sums("plain_count", "plain_sum", "plain_squares"),
                        "plain_count",
                    )
                }}
            ) as incentive_effect_error
        from compared
    )

select *
from final
