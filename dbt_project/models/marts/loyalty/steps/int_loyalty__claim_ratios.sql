{#
  Risk ratios of two groups of answers: crude, and adjusted for how often people bought before (Mantel & Haenszel
  1959 for a ratio, variance by Greenland & Robins 1985). One stratum gives the crude ratio and its usual interval.
  Of every survey, and of all together in strata of the surveys: people of two shops are never compared.
#}
{%- set pairs = [
    (
        "six_times_4_5_v_1_2",
        "satisfaction_class= 'satisfied'",
        "satisfaction_class= 'dissatisfied'",
    ),
    ("six_times_5_v_4", "loyalty_class= 'loyal'", "is_just_satisfied"),
    (
        "only_a_5_is_loyal",
        "loyalty_class= 'loyal'",
        "loyalty_class= 'at_risk'",
    ),
    (
        "small_shortfall_big_loss",
        "loyalty_class= 'loyal'",
        "is_just_satisfied",
    ),
] -%}
{%- set variants = [
    ("crude", "survey", "repurchased"),
    ("adjusted", "survey || prior_frequency", "repurchased"),
    ("intention", "survey", "intends"),
] -%}
with
    results as (select * from {{ ref("fct_survey_results") }}),

    experiences as (
        select *
        from {{ ref("fct_survey_experiences") }}
        where
            respondent_type = 'customer'
            and customer_key is not null
            and overall_score is not null
            and has_repurchased is not null
    ),

    placed as (
        select
            experiences.*,
            results.repurchase_band = 'high' as has_high_intent,
            {{ made_key(["experiences.source", "experiences.survey_id"]) }} as survey
        from experiences
        inner join results on experiences.response_key = results.response_key
    ),

    -- of every customer the newest answer whose following days are over, in a survey
    -- and in all of them
    ranked as (
        {% for scope, people in [
            (
                "'all' as scope_source, 'all' as scope_survey_id",
                "customer_key",
            ),
            (
                "source as scope_source, survey_id as scope_survey_id",
                "source, survey_id, customer_key",
            ),
        ] %}
            select
                {{ scope }},
                placed.*,
                row_number() over (
                    partition by {{ people }}
                    order by submitted_at desc, md5(response_key)
                ) as recency
            from placed
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    answers as (
        select
            scope_source,
            scope_survey_id,
            survey,
            customer_key,
            response_key,
            satisfaction_class,
            loyalty_class,
            satisfaction_class = 'satisfied'
            and loyalty_class <> 'loyal' as is_just_satisfied,
            coalesce(
                cast(prior_frequency_tercile as {{ dbt.type_string() }}), 'unknown'
            ) as prior_frequency,
            case when has_repurchased then 1 else 0 end as repurchased,
            case
                when has_high_intent then 1 when not has_high_intent then 0
            end as intends
        from ranked
        where recency = 1
    ),

    cells as (
        {% for claim, upper, lower in pairs %}
            {% set last_pair = loop.last %}
            {% for variant, stratum, outcome in variants %}
                select
                    scope_source as source,
                    scope_survey_id as survey_id,
                    '{{ claim }}' as claim_id,
                    '{{ variant }}' as variant,
                    {{ stratum }} as stratum,
                    count(case when {{ upper }} then 1 end) as upper_count,
                    count(
                        case when {{ upper }} and {{ outcome }} = 1 then 1 end
                    ) as upper_hits,
                    count(case when {{ lower }} then 1 end) as lower_count,
                    count(
                        case when {{ lower }} and {{ outcome }} = 1 then 1 end
                    ) as lower_hits
                from answers
                where {{ outcome }} is not null
                group by scope_source, scope_survey_id, {{ stratum }}
                {% if not (loop.last and last_pair) %}
                    union all
                {% endif %}
            {% endfor %}
        {% endfor %}
    ),

    -- where no one, or everyone, came back, every cell gets half a case (Haldane)
    corrected as (
        select
            *,
            case
                when
                    sum(upper_hits) over of_claim = 0
                    or sum(lower_hits) over of_claim = 0
                then 0.5
                else 0
            end as half
        from cells
        where upper_count + lower_count > 0
        window of_claim as (partition by source, survey_id, claim_id, variant)
    ),

    terms as (
        select
            *,
            cast(upper_hits + half as {{ type_double() }}) as a,
            cast(lower_hits + half as {{ type_double() }}) as c,
            cast(upper_count + 2 * half as {{ type_double() }}) as n1,
            cast(lower_count + 2 * half as {{ type_double() }}) as n0
        from corrected
    ),

    final as (
        select
            source,
            survey_id,
            claim_id,
            variant,
            cast(sum(upper_count) as bigint) as upper_count,
            cast(sum(upper_hits) as bigint) as upper_hits,
            cast(sum(lower_count) as bigint) as lower_count,
            cast(sum(lower_hits) as bigint) as lower_hits,
            max(half) > 0 as is_corrected,
            -- as decimals, so that the order of the strata does not matter
            sum(cast(a * n0 / (n1 + n0) as decimal(28, 9))) as upper_term,
            sum(cast(c * n1 / (n1 + n0) as decimal(28, 9))) as lower_term,
            sum(
                cast(
                    (n1 * n0 * (a + c) - a * c * (n1 + n0))
                    / ((n1 + n0) * (n1 + n0)) as decimal(28, 9)
                )
            ) as variance_term
        from terms
        group by source, survey_id, claim_id, variant
    )

select *
from final
