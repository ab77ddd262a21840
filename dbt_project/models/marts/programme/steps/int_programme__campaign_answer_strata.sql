{#
  Answers of those a campaign reached and of those none did. Expectation: within each wave, reached =
  contacted in the exposure_days before it was sent. Satisfaction: within the lift_days before and
  after the campaign began, reached = contacted by it at all.
#}
with
    campaigns as (select * from {{ ref("fct_campaigns") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    scales as ({{ usual_scales("results", "source", "overall_scale_max") }}),

    -- answers of customers that count
    answers as (
        select
            results.response_key,
            results.survey_id,
            results.wave,
            results.customer_key,
            results.submitted_date,
            -- the day from which memory is counted
            coalesce(responses.sent_date, results.submitted_date) as asked_date,
            results.expectation_score,
            results.c_state,
            -- on the usual scale of the source alone: others have no place beside it
            case
                when scales.overall_scale_max is not null then results.overall_index
            end as overall_index
        from results
        inner join responses on results.response_key = responses.response_key
        left join
            scales
            on results.source = scales.source
            and results.overall_scale_max = scales.overall_scale_max
        where
            not results.is_duplicate
            and results.respondent_type = 'customer'
            and results.customer_key is not null
    ),

    scopes as (select * from {{ ref("int_programme__campaign_scopes") }}),

    contacts as (
        select * from {{ ref("fct_campaign_contacts") }} where arm = 'treated'
    ),

    -- customers that a campaign, or any, contacted in the exposure_days before asking
    reached as (
        select distinct answers.response_key, scopes.scope_key
        from answers
        inner join contacts on answers.customer_key = contacts.customer_key
        inner join scopes on contacts.campaign_key = scopes.campaign_key
        where
            contacts.contacted_date <= answers.asked_date
            and contacts.contacted_date
            > {{
                add_days(
                    "answers.asked_date",
                    -var("exposure_days"),
                )
            }}
    ),

    -- the waves in which a campaign could have been remembered by anybody
    waves as (
        select distinct reached.scope_key, answers.survey_id, answers.wave
        from reached
        inner join answers on reached.response_key = answers.response_key
    ),

    expectations as (
        select
            waves.scope_key as comparison_key,
            'expectation' as measure,
            waves.survey_id || ': ' || waves.wave as stratum,
            reached.response_key is not null as is_treated,
            answers.expectation_score as score,
            answers.c_state
        from waves
        inner join answers using (survey_id, wave)
        left join
            reached
            on waves.scope_key = reached.scope_key
            and answers.response_key = reached.response_key
        where
            answers.expectation_score is not null
            and (
                reached.response_key is not null
                or answers.response_key not in (select response_key from reached)
            )
    ),

    satisfactions as (
        select
            campaigns.campaign_key,
            'satisfaction',
            case
                when answers.submitted_date < campaigns.started_date
                then 'before'
                else 'after'
            end,
            contacted.customer_key is not null,
            answers.overall_index,
            cast(null as {{ dbt.type_string() }})
        from campaigns
        inner join
            answers
            on answers.submitted_date
            >= {{ add_days("campaigns.started_date", -var("lift_days")) }}
            and answers.submitted_date
            < {{ add_days("campaigns.started_date", var("lift_days")) }}
        left join
            (select distinct campaign_key, customer_key from contacts) as contacted
            on campaigns.campaign_key = contacted.campaign_key
            and answers.customer_key = contacted.customer_key
        where answers.overall_index is not null
    ),

    final as (
        select
            comparison_key,
            measure,
            stratum,
            is_treated,
            count(*) as customer_count,
            sum(cast(score as decimal(18, 4))) as score_sum,
            sum(
                cast(score as decimal(18, 4)) * cast(score as decimal(18, 4))
            ) as score_square_sum,
            count(c_state) as c_count,
            count(case when c_state = 'dissatisfied' then 1 end) as c_below_count
        from
            (
                select *
                from expectations
                union all
                select *
                from satisfactions
            ) as scored
        group by comparison_key, measure, stratum, is_treated
    )

select *
from final
