{# Sums of both groups' outcomes, and the gaps within strata that have both groups, weighted by the recovered. #}
with
    cases as (
        select *
        from {{ ref("int_satisfaction__ticket_recoveries") }}
        where recovery in ('recovered', 'never failed')
    ),

    measured as (
        select
            source,
            survey_id,
            'score' as outcome,
            recovery,
            prior_frequency_tercile,
            previous_class,
            cast(overall_score as decimal(18, 4)) as x
        from cases
        where overall_score is not null
        union all
        select
            source,
            survey_id,
            'repurchase' as outcome,
            recovery,
            prior_frequency_tercile,
            previous_class,
            cast(repurchased as decimal(18, 4)) as x
        from cases
        where repurchased is not null
    ),

    strata as (
        select
            source,
            survey_id,
            outcome,
            prior_frequency_tercile,
            previous_class,
            {% for group, value in [
                ["recovered", "recovered"],
                ["others", "never failed"],
            ] %}
                {{ count_where("recovery = '" ~ value ~ "'") }} as {{ group }}_count,
                coalesce(
                    sum(case when recovery = '{{ value }}' then x end), 0
                ) as {{ group }}_sum,
                coalesce(
                    sum(
                        case
                            when recovery = '{{ value }}'
                            then {{ wide_product("x", "x") }}
                        end
                    ),
                    0
                ) as {{ group }}_squares
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from measured
        group by source, survey_id, outcome, prior_frequency_tercile, previous_class
    ),

    weighted as (
        select
            *,
            prior_frequency_tercile is not null
            and recovered_count > 0
            and others_count > 0 as is_matched,
            {{
                rounded(
                    "recovered_count * ("
                    ~ div("recovered_sum", "recovered_count")
                    ~ " - "
                    ~ div("others_sum", "others_count")
                    ~ ")",
                    9,
                )
            }} as gap_sum,
            {{ rounded(div("recovered_count * recovered_count", "others_count"), 9) }}
            as others_weight
        from strata
    ),

    final as (
        select
            source,
            survey_id,
            outcome,
            {% for group in ["recovered", "others"] %}
                cast(sum({{ group }}_count) as bigint) as {{ group }}_count,
                sum({{ group }}_sum) as {{ group }}_sum,
                sum({{ group }}_squares) as {{ group }}_squares,
            {% endfor %}
            -- strata are made of how often people bought before
            case
                when count(prior_frequency_tercile) > 0
                then
                    cast(
                        sum(
                            case when is_matched then recovered_count else 0 end
                        ) as bigint
                    )
            end as matched_count,
            sum(case when is_matched then gap_sum end) as gap_sum,
            sum(case when is_matched then others_weight end) as others_weight
        from weighted
        group by source, survey_id, outcome
    )

select *
from final
