{# Of every customer the newest answer whose following days are over: three groups by score, bought again, said so. #}
with
    experiences as (
        select *
        from {{ ref("fct_survey_experiences") }}
        where
            respondent_type = 'customer'
            and customer_key is not null
            and overall_score is not null
            and has_repurchased is not null
    ),

    results as (select * from {{ ref("fct_survey_results") }}),

    placed as (
        select
            experiences.*,
            results.repurchase_band = 'high' as has_high_intent,
            row_number() over (
                partition by experiences.customer_key
                order by experiences.submitted_at desc, md5(experiences.response_key)
            ) as recency
        from experiences
        inner join results on experiences.response_key = results.response_key
    ),

    final as (
        select
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
        from placed
        where recency = 1
    )

select *
from final
