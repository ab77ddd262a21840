{# What customers with each score did afterwards. Stage and tier are no segments here: they are made of what came after. #}
with
    answers as (select * from {{ ref("stat_satisfaction__followed_answers") }}),

    memberships as (
        select *
        from {{ ref("stat_satisfaction__memberships") }}
        where segment_by != 'tier'
    ),

    weights as (
        select response_key, weight from {{ ref("int_satisfaction__weights") }}
    ),

    as_of as (select reporting_currency_code from {{ ref("dim_as_of") }}),

    joined as (
        select
            answers.*,
            memberships.segment_by,
            memberships.segment,
            weights.weight,
            as_of.reporting_currency_code,
            -- several currencies are never added up
            case
                when answers.currency_code = as_of.reporting_currency_code
                then answers.margin_amount
            end as reported_margin_amount
        from answers
        cross join as_of
        inner join memberships on answers.response_key = memberships.response_key
        left join weights on answers.response_key = weights.response_key
    ),

    final as (
        select
            source,
            survey_id,
            segment_by,
            segment,
            overall_score as score,
            max(overall_scale_max) as scale_max,
            max(satisfaction_class) as satisfaction_class,
            max(loyalty_class) as loyalty_class,
            count(*) as customer_count,
            count(case when has_repurchased then 1 end) as again_count,
            {% for tercile in [1, 2, 3] %}
                count(
                    case when prior_frequency_tercile = {{ tercile }} then 1 end
                ) as customer_count_{{ tercile }},
                count(
                    case
                        when prior_frequency_tercile = {{ tercile }} and has_repurchased
                        then 1
                    end
                ) as again_count_{{ tercile }},
            {% endfor %}
            sum(weight) as weight_sum,
            sum(weight * weight) as weight_square_sum,
            sum(
                case when has_repurchased then weight else 0 * weight end
            ) as again_weight_sum,
            count(has_churned) as active_count,
            count(case when has_churned then 1 end) as churned_count,
            count(repurchase_probability) as intent_count,
            count(
                case when repurchase_probability > 0.70 then 1 end
            ) as intent_high_count,
            count(reported_margin_amount) as margin_count,
            count(
                case when has_repurchased then reported_margin_amount end
            ) as again_margin_count,
            sum(reported_margin_amount) as margin_amount,
            max(reporting_currency_code) as currency_code
        from joined
        group by source, survey_id, segment_by, segment, overall_score
    )

select *
from final
