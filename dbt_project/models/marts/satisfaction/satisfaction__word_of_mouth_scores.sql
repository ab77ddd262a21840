with
    experiences as (
        select
            *,
            row_number() over (
                partition by source, survey_id, customer_key
                order by submitted_at desc, md5(response_key)
            ) as recency
        from {{ ref("fct_survey_experiences") }}
        where respondent_type = 'customer' and overall_score is not null
    ),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    invited as (
        select
            referrer_customer_key,
            count(*) as invited_count,
            count(accepted_at) as accepted_count
        from {{ ref("fct_referrals") }}
        group by referrer_customer_key
    ),

    -- without an invitation, or one that was accepted, on record it is not known
    exported as (
        select
            source,
            count(*) > 0 as has_invitations,
            count(accepted_at) > 0 as has_accepted
        from {{ ref("fct_referrals") }}
        group by source
    ),

    answers as (
        select
            source,
            survey_id,
            overall_score,
            count(*) as response_count,
            count(told_count) as told_answer_count,
            sum(told_count) as told_sum,
            sum({{ wide_product("told_count", "told_count") }}) as told_squares
        from experiences
        group by source, survey_id, overall_score
    ),

    -- a customer counts under the newest score, and only once
    referred as (
        select
            experiences.source,
            experiences.survey_id,
            experiences.overall_score,
            count(*) as customer_count,
            count(invited.referrer_customer_key) as referrer_count,
            coalesce(sum(invited.invited_count), 0) as invited_count,
            coalesce(sum(invited.accepted_count), 0) as accepted_count
        from experiences
        inner join customers on experiences.customer_key = customers.customer_key
        left join invited on experiences.customer_key = invited.referrer_customer_key
        where experiences.recency = 1
        group by experiences.source, experiences.survey_id, experiences.overall_score
    ),

    final as (
        select
            answers.source,
            answers.survey_id,
            cast(answers.overall_score as {{ type_double() }}) as overall_score,
            answers.response_count,
            answers.response_count < {{ var("min_base") }} as is_suppressed,
            answers.told_answer_count,
            {{
                mean_with_interval(
                    "told_mean",
                    "answers.told_sum",
                    "answers.told_squares",
                    "answers.told_answer_count",
                )
            }},
            cast(coalesce(referred.customer_count, 0) as bigint) as customer_count,
            {% for name, known in [
                ("referrer_count", "has_invitations"),
                ("invited_count", "has_invitations"),
                ("accepted_count", "has_accepted"),
            ] %}
                case
                    when exported.{{ known }}
                    then cast(coalesce(referred.{{ name }}, 0) as bigint)
                end as {{ name }},
            {% endfor %}
            {{
                suppress_small_rate(
                    "referrer",
                    "case when exported.has_invitations then referred.referrer_count end",
                    "referred.customer_count",
                )
            }},
            {{
                suppress_small_mean(
                    "case when exported.has_invitations then referred.invited_count end",
                    "referred.customer_count",
                )
            }}
            as invited_mean,
            -- invitations per customer * share accepted
            {{
                suppress_small_mean(
                    "case when exported.has_accepted then referred.accepted_count end",
                    "referred.customer_count",
                )
            }} as k_factor
        from answers
        left join referred using (source, survey_id, overall_score)
        left join exported using (source)
    )

select *
from final
