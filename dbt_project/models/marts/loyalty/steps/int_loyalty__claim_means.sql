{# Claims about a mean or a gap of means: word of mouth, and recovered complainers against those who never failed. #}
with
    experiences as (
        select *
        from {{ ref("int_loyalty__claim_experiences") }}
        where told_count is not null
    ),

    word_of_mouth as (
        select
            source,
            survey_id,
            case
                mouth_class
                when 'dissatisfied'
                then 'dissatisfied_tells_22'
                when 'satisfied'
                then 'satisfied_tells_8'
                when 'delighted'
                then 'delighted_tells_10'
            end as claim_id,
            count(*) as base_count,
            sum(told_count) as told_sum,
            sum({{ wide_product("told_count", "told_count") }}) as told_squares
        from experiences
        where mouth_class in ('dissatisfied', 'satisfied', 'delighted')
        group by source, survey_id, mouth_class
    ),

    recoveries as (
        select
            *,
            -- scores of different scales have no common mean: the biggest survey
            row_number() over (
                partition by outcome order by recovered_count desc, source, survey_id
            ) as place
        from {{ ref("fct_recovery_sums") }}
    ),

    gaps as (
        {% for scope, chosen in [
            ("'all' as source, 'all' as survey_id", "place = 1"),
            ("source, survey_id", "true"),
        ] %}
            select
                {{ scope }},
                outcome,
                recovered_count,
                others_count,
                matched_count,
                {{ div("gap_sum", "matched_count") }} as gap,
                {{
                    variance_of_sums(
                        "recovered_count", "recovered_sum", "recovered_squares"
                    )
                }} as recovered_variance,
                {{ variance_of_sums("others_count", "others_sum", "others_squares") }}
                as others_variance,
                others_weight
            from recoveries
            where {{ chosen }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            source,
            survey_id,
            claim_id,
            'all' as variant,
            base_count,
            {{ div("told_sum", "base_count") }} as observed_value,
            sqrt(
                {{
                    div(
                        variance_of_sums("base_count", "told_sum", "told_squares"),
                        "base_count",
                    )
                }}
            ) as standard_error
        from word_of_mouth
        union all
        select
            source,
            survey_id,
            'recovered_are_most_loyal',
            outcome,
            matched_count,
            gap,
            sqrt(
                {{ div("recovered_variance", "matched_count") }}
                + others_variance
                * {{ div("others_weight", "matched_count * matched_count") }}
            )
        from gaps
    )

select *
from final
