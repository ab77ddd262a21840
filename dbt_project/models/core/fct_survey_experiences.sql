{# What customers said happened to them: a problem, a complaint, word of mouth; and what they did after. #}
with
    responses as (select * from {{ ref("fct_survey_results") }} where not is_duplicate),

    -- what happened is a fact: it is read as given, before a question's direction
    said as (
        select
            response_key,
            max(
                case
                    when role = 'problem_experienced' and given_score > scale_min
                    then 1
                    when role = 'problem_experienced'
                    then 0
                end
            ) as problem,
            max(
                case
                    when role = 'complained' and given_score > scale_min
                    then 1
                    when role = 'complained'
                    then 0
                end
            ) as complained,
            max(case when role = 'wom_told_count' then score end) as told_count
        from {{ ref("fct_survey_answers") }}
        where
            role in ('problem_experienced', 'complained', 'wom_told_count')
            and score is not null
        group by response_key
    ),

    outcomes as (select * from {{ ref("fct_survey_outcomes") }}),

    final as (
        select
            responses.response_key,
            responses.source,
            responses.survey_id,
            responses.wave,
            responses.respondent_type,
            responses.customer_key,
            responses.submitted_at,
            responses.submitted_date,
            responses.overall_score,
            responses.loyalty_class,
            responses.satisfaction_class,
            -- the classes of word of mouth exclude each other: delighted is the best
            -- score
            case
                when
                    responses.satisfaction_class = 'satisfied'
                    and responses.loyalty_class = 'loyal'
                then 'delighted'
                else responses.satisfaction_class
            end as mouth_class,
            said.problem = 1 as has_problem,
            -- without a problem there is nothing to complain about, and the
            -- question may not have been asked
            case
                when said.complained = 1
                then true
                when said.complained = 0 or said.problem = 0
                then false
            end as has_complained,
            said.told_count,
            outcomes.prior_frequency_tercile,
            outcomes.has_repurchased
        from responses
        left join said on responses.response_key = said.response_key
        left join outcomes on responses.response_key = outcomes.response_key
    )

select *
from final
